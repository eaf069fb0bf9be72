package ocsf

import "strconv"

// object writes the members of JSON objects. Each member ends with a comma,
// which the end of its object takes back. Keys are ours and need no escapes.
// With a visitor, it shows the members instead.
type object struct {
	dst []byte
	to  Visitor
	e   *Event // whose members are shown; only with a visitor
}

func (o *object) key(k string) {
	o.dst = append(o.dst, '"')
	o.dst = append(o.dst, k...)
	o.dst = append(o.dst, '"', ':')
}

// open begins an object that is a member, or, without a key, an element.
func (o *object) open(k string) {
	if o.to != nil {
		o.to.Open(k)
		return
	}
	if k != "" {
		o.key(k)
	}
	o.dst = append(o.dst, '{')
}

// end ends the object that was begun last. An object is begun only where it
// will have a member.
func (o *object) end() {
	if o.to != nil {
		o.to.Close()
		return
	}
	o.dst = append(o.dst[:len(o.dst)-1], '}', ',')
}

func (o *object) list(k string) {
	if o.to != nil {
		o.to.Open(k)
		return
	}
	o.key(k)
	o.dst = append(o.dst, '[')
}

func (o *object) endList() {
	if o.to != nil {
		o.to.Close()
		return
	}
	o.dst = append(o.dst[:len(o.dst)-1], ']', ',')
}

// text writes a string that is not empty, cut to the length that is allowed.
func (o *object) text(k, s string) {
	if s == "" {
		return
	}
	if o.to != nil {
		o.to.Text(k, o.e.wellFormed(clip(s)))
		return
	}
	o.key(k)
	o.element(s)
}

func (o *object) element(s string) {
	if o.to != nil {
		o.to.Text("", o.e.wellFormed(clip(s)))
		return
	}
	o.dst = appendQuoted(o.dst, clip(s), nil)
	o.dst = append(o.dst, ',')
}

// checked writes a string that is of the right form.
func (o *object) checked(k, s string, valid func(string) bool) {
	if s != "" && valid(s) {
		o.text(k, s)
	}
}

// pair writes a string of two parts, neither of which has anything to escape.
func (o *object) pair(k, first, second string) {
	if o.to != nil {
		o.to.Text(k, o.e.KeepArena(append(append(append(o.e.Arena(), first...), ": "...), second...)))
		return
	}
	o.key(k)
	o.dst = append(o.dst, '"')
	o.dst = append(append(append(o.dst, first...), ": "...), second...)
	o.dst = append(o.dst, '"', ',')
}

func (o *object) num(k string, n int64) {
	if o.to != nil {
		o.to.Int(k, n)
		return
	}
	o.key(k)
	o.dst = strconv.AppendInt(o.dst, n, 10)
	o.dst = append(o.dst, ',')
}

func (o *object) flag(k string, f Flag) {
	if f == Unset {
		return
	}
	if o.to != nil {
		o.to.Int(k, int64(f-False))
		return
	}
	o.key(k)
	o.dst = strconv.AppendBool(o.dst, f == True)
	o.dst = append(o.dst, ',')
}

// float writes an element of a list.
func (o *object) float(n float64) {
	if o.to != nil {
		o.to.Float("", n)
		return
	}
	o.dst = strconv.AppendFloat(o.dst, n, 'f', -1, 64)
	o.dst = append(o.dst, ',')
}

// choice writes an id and its text. An id that the enum does not have is
// Unknown, and Other without a text has none.
func (o *object) choice(idKey, textKey string, c Choice, caption captions) {
	if !c.set {
		return
	}
	text := c.text
	if c.id != Other {
		if text = caption(c.id); text == "" {
			c.id, text = 0, caption(0)
		}
	}
	o.num(idKey, int64(c.id))
	o.text(textKey, text)
}
