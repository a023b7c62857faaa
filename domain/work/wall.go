package work

// Wall is one thing that keeps children from what is not theirs.
type Wall struct {
	Name   string `json:"name"`
	Held   bool   `json:"held"`
	Detail string `json:"detail,omitempty"`
}

// ProveJob tells a child, which has shut its doors as for a query, what to try.
type ProveJob struct {
	Foreign string `json:"foreign"` // a file that is not the child's
	Address string `json:"address"` // where somebody listens
	Parent  int    `json:"parent"`  // a process that is not the child's
}
