package access

import (
	"strings"

	"agnes/domain"
)

// PluginResource is a plugin of the marketplace.
const PluginResource ResourceType = "marketplace_plugin"

func pluginResource() Resource {
	return Resource{
		Type: PluginResource, DisplayName: "Plugins", Description: "Plugins of the marketplace.", IDFormat: "<marketplace_slug>/<plugin_name>",
		check: func(id string) error {
			market, plugin, cut := strings.Cut(id, "/")
			if cut && market != "" && plugin != "" && !strings.Contains(plugin, "/") {
				return nil
			}
			return domain.FieldError("resource_id", "A plugin is named by its marketplace and its name, such as company/reports. %q is not.", id)
		},
	}
}
