package ask

import (
	"context"
	"os"

	"golang.org/x/sys/unix"
)

// Terminal asks on the controlling terminal, with one key press for an answer. It
// asks only while this process is in the foreground, and waits until it is: a shell
// that is in front, be it the user's or the target, is not interrupted.
//
// What was typed before a question is dropped: it was not meant for it. The target
// does not get it either.
type Terminal struct {
	fd     int
	colour bool
}

// NewTerminal opens the controlling terminal and is the Asker on it. Where there is
// none it is an Asker that denies.
func NewTerminal() Asker {
	// Non-blocking, since others that have the terminal may be faster to read
	// what poll has told us of.
	fd, err := unix.Open("/dev/tty", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nobody("no terminal")
	}
	return &Terminal{fd: fd, colour: os.Getenv("NO_COLOR") == ""}
}

// Ask implements [Asker].
func (t *Terminal) Ask(ctx context.Context, q *Question) Answer {
	if ctx.Err() != nil {
		return Answer{By: byWithdrawn}
	}
	defer unstoppable()()
	withdrawn, done, err := endOf(ctx)
	if err != nil {
		return Answer{By: err.Error()}
	}
	defer done()
	d := dialogue{tty: tty{fd: t.fd, withdrawn: withdrawn}, question: q, colour: t.colour}
	defer d.tty.release()

	chosen, err := d.run()
	if err != nil {
		chosen = choice{Answer{By: err.Error()}, err.Error()}
	}
	if d.shown {
		d.tty.say(chosen.said + newline)
	}
	return chosen.answer
}

// dialogue is one question on the terminal.
type dialogue struct {
	tty      tty
	keyboard keyboard
	question *Question
	colour   bool
	shown    bool // and there is nothing between it and the cursor
}

// run goes on until a key has answered.
func (d *dialogue) run() (choice, error) {
	for {
		input, err := d.listen()
		if err != nil {
			return choice{}, err
		}
		key, pressed := d.keyboard.press(input)
		chosen, answers := keys[key]
		switch {
		case pressed && answers:
			return chosen, nil
		case pressed && key == keyExplain:
			err = d.explain()
		case len(input) > 0:
			err = d.tty.write("\r" + choices) // the target may have written there
		}
		if err != nil {
			return choice{}, err
		}
	}
}

// listen is what was typed at the question lately, which it shows where it has to.
func (d *dialogue) listen() ([]byte, error) {
	front, err := d.tty.inFront()
	if err != nil {
		return nil, err
	}
	if !front {
		d.shown = false
		return nil, d.tty.await(0)
	}
	disturbed, err := d.tty.hold()
	if err != nil {
		return nil, err
	}
	if disturbed || !d.shown {
		if err := d.show(); err != nil {
			return nil, err
		}
	}
	return d.tty.read()
}

// show puts the question on the screen. Only what is typed after its last line
// counts.
func (d *dialogue) show() error {
	d.shown = true
	d.keyboard = keyboard{}
	p := page{colour: d.colour}
	p.question(d.question)
	if err := d.tty.write(p.String()); err != nil {
		return err
	}
	if err := d.tty.forget(); err != nil {
		return err
	}
	return d.tty.write(choices)
}

func (d *dialogue) explain() error {
	p := page{colour: d.colour}
	p.explanation(d.question)
	p.WriteString(choices)
	return d.tty.write(p.String())
}
