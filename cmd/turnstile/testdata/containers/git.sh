# A repository is made and cloned.
git init -q -b main repository
echo content >repository/file
git -C repository add file
git -C repository -c user.name=tester -c user.email=tester@example.org commit -q -m one
git clone -q "file://$WORK/repository" clone
cat clone/file
git -C clone log --format=%s
