package views

import "agnes/domain/registry"

// Palette is what /palette.json answers: everything that can be found by name.
type Palette struct {
	Items []PaletteItem `json:"items"`
}

// PaletteItem is one entry of the command palette.
type PaletteItem struct {
	Label string `json:"label"`
	Kind  string `json:"kind"` // page, table or action
	Href  string `json:"href"`
	Hint  string `json:"hint,omitempty"`
}

// NewPalette lists the pages and actions open to a viewer, then the tables.
func NewPalette(admin bool, tables []registry.Published) Palette {
	items := []PaletteItem{
		{Label: "Catalog", Kind: "page", Href: "/catalog", Hint: "g c"},
		{Label: "Console", Kind: "page", Href: "/console", Hint: "g k"},
		{Label: "API reference", Kind: "page", Href: "/docs"},
	}
	if admin {
		items = append(items,
			PaletteItem{Label: "Syncs", Kind: "page", Href: "/syncs", Hint: "g s"},
			PaletteItem{Label: "Sources", Kind: "page", Href: "/sources"},
			PaletteItem{Label: "Add data", Kind: "action", Href: "/add", Hint: "g a"},
			PaletteItem{Label: "Access", Kind: "page", Href: AccessURL, Hint: "g u"},
			PaletteItem{Label: "People", Kind: "page", Href: PeopleURL, Hint: "g p"},
			PaletteItem{Label: "Groups", Kind: "page", Href: GroupsURL, Hint: "g g"},
			PaletteItem{Label: "Activity", Kind: "page", Href: ActivityURL, Hint: "g l"},
			PaletteItem{Label: "Server settings", Kind: "page", Href: ServerConfigURL, Hint: "g o"},
			PaletteItem{Label: "Recently deleted", Kind: "page", Href: BinURL},
			PaletteItem{Label: "New group", Kind: "action", Href: GroupsURL + "/new"},
			PaletteItem{Label: "Invite people", Kind: "action", Href: PeopleURL + "/invite"})
	}
	for _, t := range tables {
		items = append(items, PaletteItem{Label: t.Name, Kind: "table", Href: string(TableURL(t.ID)), Hint: t.Description})
	}
	return Palette{Items: items}
}
