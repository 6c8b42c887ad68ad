# A virtual environment of Python with pip in it.
. "$DATA/lib.sh"
# Compiled files have the times of their sources unless this is set.
export SOURCE_DATE_EPOCH=1000000000 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONHASHSEED=0

/usr/bin/python3 -m venv env
env/bin/python -c 'import sys; print(sys.prefix != sys.base_prefix)'
env/bin/pip list 2>&1
mkdir -p proj/small
echo 'def hello(): return "hello"' >proj/small/__init__.py
env/bin/python -m compileall -q proj
find proj -exec touch -d 2001-01-01 {} +
env/bin/python -m zipfile -c proj.zip proj/small
PYTHONPATH=proj.zip/proj:proj env/bin/python -c 'import small; print(small.hello())'
env/bin/pip uninstall -q -y setuptools
rm -rf env/lib/python3*/site-packages/pip/_vendor
