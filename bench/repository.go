package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
)

const (
	sourceFiles = 1000
	sourceLines = 200
	changes     = 8 // files that a commit changes
)

// makeRepository generates a repository, always the same one. Where it has been
// generated, that one stays.
func (b *bench) makeRepository(ctx context.Context, dir string, commits int) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if _, err := b.run(ctx, "git", "init", "-q", "-b", "main", dir); err != nil {
		return err
	}
	r, w := io.Pipe()
	go func() { w.CloseWithError(writeHistory(w, commits)) }()
	c := b.command(ctx, []string{"git", "-C", dir, "fast-import", "--quiet"})
	c.Stdin = r
	out, err := c.CombinedOutput()
	r.Close()
	if err != nil {
		return fmt.Errorf("importing the generated history: %w\n%s", err, tail(string(out)))
	}
	// As it would be after a clone: deltas against the version before.
	_, err = b.run(ctx, "git", "-C", dir, "repack", "-a", "-d", "-q")
	return err
}

// writeHistory writes a stream for git-fast-import(1): a commit that adds all files,
// then commits that change a line in each of a few.
func writeHistory(w io.Writer, commits int) error {
	random := rand.New(rand.NewPCG(1, 2))
	out := bufio.NewWriter(w)
	files := make([][]string, sourceFiles)
	for i := range files {
		for range sourceLines {
			files[i] = append(files[i], sentence(random))
		}
	}
	for n := range commits {
		message := sentence(random)
		fmt.Fprintf(out, "commit refs/heads/main\ncommitter Bench <bench@example.com> %d +0000\ndata %d\n%s\n", 1_700_000_000+n*3600, len(message), message)
		if n == 0 {
			for i, lines := range files {
				writeFile(out, i, lines)
			}
			continue
		}
		for range changes {
			i := random.IntN(len(files))
			files[i][random.IntN(sourceLines)] = sentence(random)
			writeFile(out, i, files[i])
		}
	}
	return out.Flush()
}

func writeFile(out io.Writer, i int, lines []string) {
	text := strings.Join(lines, "\n") + "\n"
	fmt.Fprintf(out, "M 100644 inline package%d/file%d.txt\ndata %d\n%s\n", i%40, i, len(text), text)
}

func sentence(random *rand.Rand) string {
	var words []string
	for range 8 {
		words = append(words, fmt.Sprintf("%x", random.Uint32N(1<<20)))
	}
	return strings.Join(words, " ")
}
