package people

import "time"

// Identity is an account of another service that somebody signed in with.
type Identity struct {
	Provider  Method // ByGoogle or ByOIDC
	Email     string // as the service last said
	CreatedAt time.Time
	UsedAt    time.Time
}
