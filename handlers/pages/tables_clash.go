package pages

import (
	"agnes/domain/registry"
	"agnes/views"
)

// tableClash shows two changes of one registration.
func tableClash(t registry.Table) clashOf {
	return clashOf{
		Title: "The table " + t.Name, Back: string(views.TableURL(t.ID)), Nav: views.NavCatalog,
		Labels: tableLabels(), Word: views.TableFieldWord,
	}
}

// tableLabels are what people call the fields of a registration.
func tableLabels() map[string]string {
	return map[string]string{
		"name": "Name", "description": "Description", "folder": "Folder", "primary_key": "Primary key", "sync_schedule": "Schedule",
		"source_table": "In the source", "read_options": "How its file is read", "query_mode": "How it is asked",
		"shrink_guard_pct": "Hold when smaller by more than", "schema_policy": "When the columns change",
	}
}
