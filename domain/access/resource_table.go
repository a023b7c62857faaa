package access

// TableResource is a table that people query and pull, by its registry id.
const TableResource ResourceType = "table"

func tableResource() Resource {
	return Resource{
		Type: TableResource, DisplayName: "Tables", Description: "Tables that people query and pull.", IDFormat: "<table_id>",
		check: func(string) error { return nil }, // ids of the predecessor have any form
	}
}
