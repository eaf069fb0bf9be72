package mapping

import "selvedge/ocsf"

// Judge returns the class and the activity that the table gives a type of
// event, if the record has what the class requires.
func (m *Mapper) Judge(code string) (class ocsf.Class, activity int, name string) {
	v, _ := m.rules.judge(code)
	return v.class, v.activity, v.name
}
