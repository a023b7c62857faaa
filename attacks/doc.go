// Package attacks holds the attack campaign: tests that start the real program
// and send it SQL that wants what its sender may not have, SQL that wants all
// of the machine, and SQL that any analyst writes. docs/security.md says how to
// run it and how to read its table. There is nothing here but tests; without
// -campaign only those of the campaign's own parts and the fuzz tests' seeds run.
package attacks
