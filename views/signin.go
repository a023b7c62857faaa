package views

// SignInView is the form that people sign in with. Nothing in it tells about
// the company's data.
type SignInView struct {
	Email string // kept after a refused try
	Next  string // path to go to afterwards
	Error string // a sentence
}

// FirstRunView is the form that names the first administrator.
type FirstRunView struct {
	Name   string
	Email  string
	Errors FieldErrors // name, email, password
	Error  string
}

// focus is the field to begin with: the first that is wrong, else the first.
func (v FirstRunView) focus() string {
	for _, name := range []string{"name", "email", "password"} {
		if v.Errors[name] != "" {
			return name
		}
	}
	return "name"
}
