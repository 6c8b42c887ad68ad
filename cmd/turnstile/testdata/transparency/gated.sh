# Whether a filter is around this.
grep Seccomp: /proc/self/status
