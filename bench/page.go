package main

import (
	"fmt"
	"strings"
)

// page is the document while it grows.
type page struct {
	unjudged bool // the loads are too small for the budgets
	budgets  []budget
	sections []section
	notes    []string
}

// section is what one experiment found.
type section struct {
	title string
	text  string
	table table
}

func (s section) String() string {
	return fmt.Sprintf("## %s\n\n%s\n\n%s", s.title, s.text, &s.table)
}

// add appends a section, and prints it: a full session takes a while.
func (p *page) add(s section, budgets ...budget) {
	p.sections = append(p.sections, s)
	p.budgets = append(p.budgets, budgets...)
	fmt.Printf("\n%s", s)
}

// note keeps something that the reader of the numbers has to know.
func (p *page) note(format string, args ...any) {
	p.notes = append(p.notes, strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", " "))
}

// summary is the budgets and the notes.
func (p *page) summary() string {
	var b strings.Builder
	if len(p.budgets) > 0 {
		t := table{header: []string{"Work", "Reference", "Budget", "Measured", "Middle half", ""}, words: 2}
		for _, budget := range p.budgets {
			row := budget.row()
			if p.unjudged {
				row[len(row)-1] = "not judged"
			}
			t.add(row...)
		}
		b.WriteString("## Budgets\n\n" + t.String() + "\n")
	}
	b.WriteString("## Notes on this session\n\n")
	for _, note := range p.notes {
		b.WriteString("- " + note + "\n")
	}
	return b.String()
}
