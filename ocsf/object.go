package ocsf

import "strconv"

// object writes the members of JSON objects. Each member ends with a comma,
// which the end of its object takes back. Keys are ours and need no escapes.
type object struct{ dst []byte }

func (o *object) key(k string) {
	o.dst = append(o.dst, '"')
	o.dst = append(o.dst, k...)
	o.dst = append(o.dst, '"', ':')
}

// open begins an object that is a member, or, without a key, an element.
func (o *object) open(k string) {
	if k != "" {
		o.key(k)
	}
	o.dst = append(o.dst, '{')
}

// end ends the object that was begun last. An object is begun only where it
// will have a member.
func (o *object) end() { o.dst = append(o.dst[:len(o.dst)-1], '}', ',') }

func (o *object) list(k string) {
	o.key(k)
	o.dst = append(o.dst, '[')
}

func (o *object) endList() { o.dst = append(o.dst[:len(o.dst)-1], ']', ',') }

// text writes a string that is not empty, cut to the length that is allowed.
func (o *object) text(k, s string) {
	if s == "" {
		return
	}
	o.key(k)
	o.element(s)
}

func (o *object) element(s string) {
	o.dst = appendQuoted(o.dst, clip(s), nil)
	o.dst = append(o.dst, ',')
}

// checked writes a string that is of the right form.
func (o *object) checked(k, s string, valid func(string) bool) {
	if s != "" && valid(s) {
		o.text(k, s)
	}
}

func (o *object) num(k string, n int64) {
	o.key(k)
	o.dst = strconv.AppendInt(o.dst, n, 10)
	o.dst = append(o.dst, ',')
}

func (o *object) flag(k string, f Flag) {
	if f == Unset {
		return
	}
	o.key(k)
	o.dst = strconv.AppendBool(o.dst, f == True)
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
