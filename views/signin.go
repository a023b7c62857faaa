package views

// SignInView is the form that people sign in with. Nothing in it tells about
// the company's data.
type SignInView struct {
	Email string // kept after a refused try
	Next  string // path to go to afterwards
	Error string // a sentence about the password
	// LinkError is a sentence about what was typed for a link.
	LinkError string

	Link      bool   // a link by mail can be asked for
	LinkOff   string // a sentence: why not, "" where nothing needs to be said
	Password  bool   // passwords are taken
	Open      bool   // the password's form is in view
	Forgot    bool   // a new password can be set by mail
	Providers []Provider
}

// Provider is a service that people may sign in with.
type Provider struct {
	Name   string // as the button says it: "Continue with …"
	URL    string // path of ours that leads there
	Google bool   // draws the mark of Google
}

// onlyPassword reports whether there is no other way in.
func (v SignInView) onlyPassword() bool { return v.Password && !v.Link && len(v.Providers) == 0 }

func (v SignInView) none() bool { return !v.Password && !v.Link && len(v.Providers) == 0 }

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
