# git: lock files renamed into place, hard links in clones, editors as scripts.
. "$DATA/lib.sh"
export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=C GIT_COMMITTER_EMAIL=c@example.com
export GIT_AUTHOR_DATE='1000000000 +0000' GIT_COMMITTER_DATE='1000000000 +0000' GIT_CONFIG_NOSYSTEM=1
git config --global init.defaultBranch main
git config --global advice.detachedHead false
git config --global gc.auto 0

git init -q repo; cd repo
for i in $(seq 1 12); do
	mkdir -p "d$i"; seq 1 $((i * 10)) >"d$i/f$i"; echo "line $i" >>log
	git add -A; git commit -q -m "commit $i"
done
ln -s log link; chmod +x d1/f1; git add -A; git commit -q -m modes
git branch side HEAD~5; git tag -a -m tag v1
git checkout -q side; echo side >side; git add side; git commit -q -m side; git checkout -q main
git merge -q -m merge side
# The editor of the rebase is a script that drops a commit and squashes another.
cat >"$SCRATCH/editor" <<'end'
#!/bin/sh
case $1 in
*git-rebase-todo) sed -i -e '2s/^pick/squash/' -e '4s/^pick/reword/' -e 5d "$1" ;;
*) sed -i -e '1s/$/ edited/' "$1" ;;
esac
end
chmod +x "$SCRATCH/editor"
GIT_EDITOR="$SCRATCH/editor" git -c rebase.instructionFormat=%s rebase -q -i v1~6 2>&1 | sed 's/^.*\r//' || :
git status --porcelain=v2 --branch
git log --oneline --graph --all
git worktree add -q ../tree side; (cd ../tree && echo wt >wt && git add wt && git commit -q -m wt && git status -s)
git worktree list | sed "s,$HOME,HOME,"
git worktree remove ../tree
git stash list; echo dirty >>log; git stash -q; git stash pop -q; git diff --stat; git checkout -q log
git gc -q --aggressive --prune=now; git repack -adq; git prune
git fsck --full --strict
git count-objects -v
cd ..
git clone -q repo local; git clone -q --no-hardlinks repo copy; git clone -q --bare repo bare.git
git clone -q --depth 2 "file://$PWD/repo" shallow
(cd local && git fetch -q --all && echo x >x && git add x && git commit -q -m x && git push -q origin HEAD:refs/heads/pushed)
(cd copy && git pull -q --rebase origin pushed && git log --oneline | head -n 3)
git -C repo bundle create -q ../bundle --all; git -C repo bundle verify -q ../bundle; rm bundle
git -C repo archive --format=tar HEAD | sha256sum
git -C local grep -c line -- log
git -C copy clean -qdxf; git -C copy reset -q --hard HEAD~2; git -C copy rev-parse HEAD
git -C repo -c protocol.file.allow=always submodule --quiet add "$PWD/bare.git" sub
for r in repo local copy shallow; do
	git -C $r ls-files -s | sha256sum
	git -C $r for-each-ref
done
# The index has inode numbers, the logs have times.
find . -path '*/.git/*' \( -name index -o -name FETCH_HEAD -o -name ORIG_HEAD \) -delete
find . -path '*/.git/*' -type d -name logs -exec rm -rf {} +
rm -f repo/.git/objects/pack/*.pack repo/.git/objects/info/commit-graph
