# A C project of a hundred files, built by two jobs at a time.
. "$DATA/lib.sh"

mkdir src
for i in $(seq 1 100); do
	printf '#include "all.h"\nint f%d(int x) { return x + %d; }\n' "$i" "$i" >src/f$i.c
	echo "int f$i(int x);" >>src/all.h
done
{
	printf '#include <stdio.h>\n#include "all.h"\nint main(void) { int x = 0;\n'
	for i in $(seq 1 100); do echo "x = f$i(x);"; done
	printf 'printf("%%d\\n", x); return 0; }\n'
} >src/main.c
cat >Makefile <<'end'
OBJS := $(patsubst src/%.c,obj/%.o,$(wildcard src/*.c))
all: prog sub/done
prog: lib.a
	gcc -o $@ -Wl,--build-id=none obj/main.o lib.a
lib.a: $(OBJS)
	ar rcsD $@ $(filter-out obj/main.o,$^)
obj/%.o: src/%.c | obj
	gcc -O0 -c -o $@ $<
obj:
	mkdir -p $@
sub/done:
	+$(MAKE) -s -C sub done
clean:
	rm -rf obj prog lib.a
end
mkdir sub
printf 'done: a b c d\n\tcat $^ >$@\n%%:\n\tsleep 0; echo $@ >$@\n' >sub/Makefile
make -s -j2
./prog
make -j2 -q && echo "up to date"
echo '#define X' >>src/f7.c
make -j2 -n | grep -v '^make' || :
make -s -j2 -k; ./prog
make -s clean
make -s -j2 obj/f1.o obj/main.o; ls obj
make -s -j2 prog; strip prog; ./prog
ar t lib.a | wc -l
objcopy --only-keep-debug prog prog.debug 2>&1

# make 4.4 keeps its tokens in a FIFO that each job opens by name.
mkfifo tokens
exec 9<>tokens
printf ++ >&9
for i in $(seq 1 20); do
	(
		exec 8<>tokens
		dd bs=1 count=1 status=none <tokens >token.$i
		seq 1 2000 >job.$i
		cat token.$i >&8
	) &
done
wait
exec 9>&-
cat token.* | sort | uniq -c
