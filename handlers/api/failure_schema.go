package api

import "github.com/danielgtaylor/huma/v2"

func failureResponse(about string) *huma.Response {
	return &huma.Response{
		Description: about,
		Content:     map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{Ref: "#/components/schemas/Failure"}}},
	}
}

func failureSchema() *huma.Schema {
	text := &huma.Schema{Type: huma.TypeString, Description: "What happened, what it means and what to do next."}
	one := &huma.Schema{
		Type: huma.TypeObject,
		Properties: map[string]*huma.Schema{
			"type":  {Type: huma.TypeString, Description: "Kind of fault, such as missing."},
			"loc":   {Type: huma.TypeArray, Items: &huma.Schema{}, Description: "Where: body, query or path, then names and positions."},
			"msg":   {Type: huma.TypeString},
			"input": {Description: "The number or truth value that was sent; null for everything else."},
		},
	}
	number := &huma.Schema{Type: huma.TypeInteger}
	limit := &huma.Schema{
		Type: huma.TypeObject, Description: "A limit that was reached.",
		Properties: map[string]*huma.Schema{
			"reason": {Type: huma.TypeString}, "kind": {Type: huma.TypeString}, "current": number, "limit": number, "retry_after_seconds": number, "message": text,
		},
	}
	managed := &huma.Schema{
		Type: huma.TypeObject, Description: "What another service decides.",
		Properties: map[string]*huma.Schema{"code": {Type: huma.TypeString}, "message": text},
	}
	edit := &huma.Schema{Type: huma.TypeObject, Description: "As an edit of POST /api/admin/access-changes; was is what is there now."}
	clashed := &huma.Schema{
		Type:       huma.TypeObject,
		Properties: map[string]*huma.Schema{"field": {Type: huma.TypeString}, "was": {Type: huma.TypeString}, "theirs": {Type: huma.TypeString}, "yours": {Type: huma.TypeString}},
	}
	return &huma.Schema{
		Type:        huma.TypeObject,
		Description: "Why something was not done.",
		Properties: map[string]*huma.Schema{
			"detail":         {OneOf: []*huma.Schema{text, {Type: huma.TypeArray, Items: one}, limit, managed}},
			"code":           {Type: huma.TypeString, Description: "recent_sign_in_required, where a person in a browser has to confirm who they are; changed_meanwhile or cells_changed with 412; else absent."},
			"version":        {Type: huma.TypeInteger, Description: "With 412: the version of now."},
			"changed_at":     {Type: huma.TypeString, Description: "With 412: when it was changed."},
			"changed_by":     {Type: huma.TypeString, Description: "With 412: who changed it."},
			"fields":         {Type: huma.TypeArray, Items: clashed, Description: "With 412: each field that differs, as it was, as it is, and as you want it."},
			"cells":          {Type: huma.TypeArray, Items: edit, Description: "With 412 of a change of access: the cells that changed."},
			"confirm_url":    {Type: huma.TypeString, Description: "The page to do that on."},
			"request_access": offerSchema(),
			"request_id":     {Type: huma.TypeString, Description: "To be named to an administrator; with internal errors only."},
		},
		Required: []string{"detail"},
	}
}
