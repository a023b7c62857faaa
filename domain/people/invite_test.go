package people

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"agnes/domain"
	"agnes/domain/audit"
)

// guests are people in memory; some addresses cannot be added.
type guests struct {
	known map[string]User
	fails map[string]error
}

func (g *guests) UsersByEmail(_ context.Context, emails []string) ([]User, error) {
	var found []User
	for _, email := range emails {
		if u, there := g.known[email]; there {
			found = append(found, u)
		}
	}
	return found, g.fails["list"]
}

func (g *guests) CreateUser(ctx context.Context, _ audit.Actor, n NewUser) (User, error) {
	if err := errors.Join(ctx.Err(), g.fails[n.Email]); err != nil {
		return User{}, err
	}
	u := User{ID: UserID("id-" + n.Email), Email: n.Email, Name: n.Name, Active: true}
	g.known[n.Email] = u
	return u, nil
}

// links fail for one address and end the request at another.
type links struct {
	fails string
	ends  string
	end   context.CancelFunc
}

func (l *links) Invite(_ context.Context, _ audit.Actor, u User) (Invitation, error) {
	if u.Email == l.fails {
		return Invitation{}, domain.E(domain.Unavailable, "mail_refused", "The mail server did not take the mail.")
	}
	if u.Email == l.ends {
		l.end()
	}
	return Invitation{URL: "https://a.example/" + u.Email}, nil
}

func (l *links) Reset(context.Context, audit.Actor, User) (Invitation, error) {
	return Invitation{}, errors.New("not asked for")
}

// Of 500 at once a failure names its line, and no other line is lost by it.
func TestInviteLosesNobodyHalfWay(t *testing.T) {
	var text strings.Builder
	for i := range MaxAddressees {
		fmt.Fprintf(&text, "p%d@example.com\n", i)
	}
	list, err := ParseAddressees(text.String())
	if err != nil {
		t.Fatal(err)
	}
	g := &guests{known: map[string]User{"p7@example.com": {ID: "old", Email: "p7@example.com"}}, fails: map[string]error{
		"p9@example.com":  errors.New("disk: /srv/secret"),
		"p11@example.com": domain.E(domain.Conflict, "user_exists", "known since the preview"),
	}}
	ctx, end := context.WithCancel(t.Context())
	invites := Invites{Guests: g, Inviter: &links{fails: "p8@example.com", ends: "p399@example.com", end: end}}
	done, err := invites.Invite(ctx, audit.System("test"), list, nil)
	if err != nil || len(done) != MaxAddressees {
		t.Fatalf("%d lines, %v", len(done), err)
	}
	counts := map[GuestState]int{}
	for _, line := range done {
		counts[line.State]++
		if strings.Contains(line.Problem, "secret") {
			t.Errorf("a cause is shown: %q", line.Problem)
		}
		if made := g.known[line.Email].ID != ""; made != (line.State == GuestInvited || line.State == GuestNoLink || line.Email == "p7@example.com") {
			t.Errorf("%s: made %t, said %s", line.Email, made, line.State)
		}
	}
	if counts[GuestInvited] != 396 || counts[GuestNoLink] != 1 || counts[GuestKnown] != 2 || counts[GuestFailed] != 101 {
		t.Errorf("counts: %v", counts)
	}
	for i, want := range map[int]string{8: "The mail server", 9: "a fault of its own", 450: "stopped before this line"} {
		if !strings.Contains(done[i].Problem, want) {
			t.Errorf("line %d says %q", i, done[i].Problem)
		}
	}
	g.fails["list"] = errors.New("disk")
	if _, err := invites.Invite(t.Context(), audit.System("test"), list, nil); domain.KindOf(err) != domain.Internal {
		t.Errorf("a store that cannot list: %v", err)
	}
}
