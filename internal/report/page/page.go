package page

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"

	"github.com/turnstile-project/turnstile/internal/trace"
)

//go:embed assets
var assets embed.FS

// scripts are the parts of the script, in the order in which they need each other.
var scripts = []string{
	"model.js", "filter.js", "list.js", "tree.js", "table.js",
	"header.js", "glance.js", "timeline.js", "files.js", "tables.js", "errors.js", "page.js",
}

var frame = template.Must(template.ParseFS(assets, "assets/page.html"))

// Write writes the page of a trace. Tool is what makes it, with the version.
func Write(w io.Writer, d *trace.Document, tool string) error {
	style, err := assets.ReadFile("assets/style.css")
	if err != nil {
		return err
	}
	script, err := script()
	if err != nil {
		return err
	}
	m := newModel(d, maxEntries)
	m.Head.Maker = text(tool)
	b := bufio.NewWriterSize(w, 1<<16)
	err = frame.Execute(b, map[string]any{
		"Title": m.Head.Command,
		"Tool":  m.Head.Maker,
		"Style": template.CSS(style), "StyleHash": hash(style),
		"Script": template.JS(script), "ScriptHash": hash(script),
		"Data": m,
	})
	if err != nil {
		return fmt.Errorf("making the page: %w", err)
	}
	return b.Flush()
}

// script is all parts as one module.
func script() ([]byte, error) {
	var all bytes.Buffer
	for _, name := range scripts {
		part, err := assets.ReadFile("assets/" + name)
		if err != nil {
			return nil, err
		}
		all.Write(part)
	}
	return all.Bytes(), nil
}

// hash is what a content security policy knows an inline script or style by.
func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
