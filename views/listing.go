package views

import (
	"net/url"
	"strconv"
)

// listing is the order and the page of a list, as its address holds them.
type listing[O ~string] struct {
	Order O    // sort; "" is the list's own order
	Desc  bool // desc=1
	Page  int  // page, from 1
}

func (l listing[O]) page() int { return max(1, l.Page) }

// sorted is the list sorted by a column, from its first page; the same column
// again turns the order, another one begins downwards where down says so.
func (l listing[O]) sorted(order O, down bool) listing[O] {
	if l.Order == order {
		down = !l.Desc
	}
	return listing[O]{Order: order, Desc: down, Page: 1}
}

func (l listing[O]) ariaSort(order O) string {
	switch {
	case l.Order != order:
		return "none"
	case l.Desc:
		return "descending"
	}
	return "ascending"
}

// address is the list in this state, narrowed by what is given; defaults are
// left out.
func (l listing[O]) address(path string, narrowed map[string]string) string {
	v := url.Values{}
	for name, value := range narrowed {
		if value != "" {
			v.Set(name, value)
		}
	}
	if l.Order != "" {
		v.Set("sort", string(l.Order))
	}
	if l.Desc {
		v.Set("desc", "1")
	}
	if l.Page > 1 {
		v.Set("page", strconv.Itoa(l.Page))
	}
	if len(v) == 0 {
		return path
	}
	return path + "?" + v.Encode()
}
