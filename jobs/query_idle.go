package jobs

import (
	"context"
	"slices"
	"time"

	"agnes/domain/guard"
	"agnes/domain/people"
)

// giveBack keeps a child that can go on for the next statement it serves.
func (p *QueryPool) giveBack(c *queryChild, by people.UserID) {
	_, starved := p.supervisor.broker.jobsWait()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue.done(by)
	p.rest(c, starved)
}

// rest puts a child among the idle ones, unless it is at its end; p.mu is held.
func (p *QueryPool) rest(c *queryChild, unwanted bool) {
	// One that got few threads in a crowded moment makes room for one with more.
	slim := c.share.limits.Threads < p.cfg.Limits.Threads
	if unwanted || slim || c.old.Load() || c.answered >= p.cfg.MaxQueries || c.gone() {
		p.retire(c, false)
	} else {
		c.expiry = time.AfterFunc(p.cfg.Idle, p.guard().Func("end an idle query child", func() { p.expire(c) }))
		p.idle = append(p.idle, c)
	}
	p.dispatch()
}

// lose ends a child under a statement. again says that a new one may take its
// place at once.
func (p *QueryPool) lose(c *queryChild, by people.UserID, again bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue.done(by)
	p.retire(c, again)
	p.dispatch()
}

// retire ends a child and passes its share on once its memory is free again;
// p.mu is held.
func (p *QueryPool) retire(c *queryChild, again bool) {
	p.ending++
	p.guard().Go("end a query child", func() {
		c.end()
		_, starved := p.supervisor.broker.jobsWait()
		p.mu.Lock()
		p.ending--
		if again && p.cfg.Spares > 0 && p.queue.length == 0 && !starved && !p.supervisor.stopping() {
			p.mu.Unlock()
			select {
			case p.lost <- c:
				return
			case <-p.supervisor.done:
				p.mu.Lock()
			}
		}
		p.vacate(c.share, starved)
	})
}

// replaceAll replaces lost children until the supervisor closes.
func (p *QueryPool) replaceAll() {
	for {
		select {
		case c := <-p.lost:
			p.guard().Func("replace a query child", func() { p.replace(c) })()
		case <-p.supervisor.done:
			return
		}
	}
}

// replace starts a child that holds what another held, for the next statement.
func (p *QueryPool) replace(old *queryChild) {
	c, err := p.launch(context.Background(), old.held, old.tables, old.share)
	p.mu.Lock()
	if err != nil {
		p.supervisor.cfg.Log.Debug("no replacement of a query child", "err", err)
		p.vacate(old.share, false)
		return
	}
	defer p.mu.Unlock()
	p.rest(c, false)
}

// free gives up the right to start a child.
func (p *QueryPool) free(s *share, by people.UserID) {
	p.mu.Lock()
	p.queue.done(by)
	p.vacate(s, false)
}

// vacate passes the share of a child that is gone to those who wait here, or
// away at once; it lets go of p.mu, which is held.
func (p *QueryPool) vacate(s *share, away bool) {
	p.live--
	if away {
		p.mu.Unlock()
		s.release()
		p.mu.Lock()
	} else {
		p.stock = s
	}
	p.dispatch()
	p.mu.Unlock()
}

// drop ends an idle child; p.mu is held.
func (p *QueryPool) drop(i int) {
	c := p.idle[i]
	p.idle = slices.Delete(p.idle, i, i+1)
	c.expiry.Stop()
	p.retire(c, false)
}

// expire ends a child that nobody used, unless somebody does by now.
func (p *QueryPool) expire(c *queryChild) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.idle, c); i >= 0 {
		p.drop(i)
	}
}

// yield ends an idle child while jobs wait for what it holds.
func (p *QueryPool) yield() {
	waits, _ := p.supervisor.broker.jobsWait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if waits && len(p.idle) > 0 {
		p.drop(0)
	}
}

// grow starts spares in the background until there are enough.
func (p *QueryPool) grow() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.spares)+p.growing < p.cfg.Spares {
		p.growing++
		p.guard().Go("start a spare query child", func() {
			c, err := p.spawn()
			if err != nil && !p.supervisor.stopping() {
				p.supervisor.cfg.Log.Warn("no spare query child", "err", err)
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			p.growing--
			if err == nil {
				p.spares = append(p.spares, c)
			}
		})
	}
}

// spare takes a process that was started ahead, or nil.
func (p *QueryPool) spare() *queryChild {
	defer p.grow()
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.spares) > 0 {
		c := p.spares[0]
		p.spares = p.spares[1:]
		if !c.gone() {
			return c
		}
		p.guard().Go("end a spare query child", c.end)
	}
	return nil
}

func (p *QueryPool) count(add func(*PoolStats)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	add(&p.counts)
}

func (p *QueryPool) guard() *guard.Guard { return p.supervisor.cfg.Guard }
