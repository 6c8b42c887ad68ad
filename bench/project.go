package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// objectDir is where make puts everything that it makes.
const objectDir = "objects"

const projectMakefile = `OBJECTS := $(patsubst %.c,objects/%.o,$(wildcard *.c))

objects/program: $(OBJECTS)
	gcc -o $@ $^

objects/%.o: %.c common.h
	gcc -O2 -c -o $@ $<
`

const projectHeader = `#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
`

const projectFunction = `
int work%[1]d(int n, const char *words)
{
	char text[64];
	int sum = %[1]d;

	for (const char *w = words; *w; w += strcspn(w, " ")) {
		while (isspace(*w))
			w++;
		snprintf(text, sizeof(text), "%%d %%.8s", n, w);
		for (char *c = text; *c; c++)
			sum = sum * 31 + (isdigit(*c) ? *c - '0' : tolower(*c));
		if (sum %% 7 == n)
			return strtol(text, NULL, 16);
	}
	return sum;
}
`

// functions is how many functions a file has: the compiler is to be busy with them, as
// it is with what people write, and not with headers only.
const functions = 8

// writeProject generates a program in C that has so many files, always the same one.
func writeProject(dir string, units int) error {
	files := map[string]string{
		"Makefile": projectMakefile,
		"common.h": projectHeader,
		"main.c":   "int main(void)\n{\n\treturn 0;\n}\n",
	}
	for unit := range units - 1 {
		var text strings.Builder
		text.WriteString("#include \"common.h\"\n")
		for f := range functions {
			fmt.Fprintf(&text, projectFunction, unit*functions+f)
		}
		files[fmt.Sprintf("unit%d.c", unit)] = text.String()
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making the directory of a project: %w", err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return fmt.Errorf("writing a file of a project: %w", err)
		}
	}
	return nil
}
