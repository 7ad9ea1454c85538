// A provider that knows what there is to configure, and nothing else: OpenTofu validates against its schemas and mocks all it
// would do. The schemas are those of $PROVIDER_SCHEMAS, a file as `tofu providers schema -json` prints it; the provider's name is
// the first argument of its file name, terraform-provider-<name>.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

type attribute struct {
	Type       json.RawMessage `json:"type"`
	NestedType *nestedType     `json:"nested_type"`
	Required   bool            `json:"required"`
	Optional   bool            `json:"optional"`
	Computed   bool            `json:"computed"`
	WriteOnly  bool            `json:"write_only"`
}

type nestedType struct {
	Attributes  map[string]attribute `json:"attributes"`
	NestingMode string               `json:"nesting_mode"`
}

type block struct {
	Attributes map[string]attribute   `json:"attributes"`
	BlockTypes map[string]nestedBlock `json:"block_types"`
}

type nestedBlock struct {
	Block       block  `json:"block"`
	NestingMode string `json:"nesting_mode"`
	MinItems    int64  `json:"min_items"`
	MaxItems    int64  `json:"max_items"`
}

type described struct {
	Block block `json:"block"`
}

type schemas struct {
	Provider          described            `json:"provider"`
	ResourceSchemas   map[string]described `json:"resource_schemas"`
	DataSourceSchemas map[string]described `json:"data_source_schemas"`
}

// What is embedded is nil: OpenTofu calls only what is below as long as it validates and mocks, and anything else shall fail.
type server struct {
	tfprotov6.ProviderServer
	schemas schemas
}

func (s server) GetMetadata(context.Context, *tfprotov6.GetMetadataRequest) (*tfprotov6.GetMetadataResponse, error) {
	response := &tfprotov6.GetMetadataResponse{ServerCapabilities: capabilities}
	for name := range s.schemas.ResourceSchemas {
		response.Resources = append(response.Resources, tfprotov6.ResourceMetadata{TypeName: name})
	}
	for name := range s.schemas.DataSourceSchemas {
		response.DataSources = append(response.DataSources, tfprotov6.DataSourceMetadata{TypeName: name})
	}
	return response, nil
}

func (s server) GetProviderSchema(context.Context, *tfprotov6.GetProviderSchemaRequest) (*tfprotov6.GetProviderSchemaResponse, error) {
	provider, err := schemaOf(s.schemas.Provider)
	if err != nil {
		return nil, fmt.Errorf("provider: %w", err)
	}
	resources, err := schemasOf(s.schemas.ResourceSchemas)
	if err != nil {
		return nil, err
	}
	dataSources, err := schemasOf(s.schemas.DataSourceSchemas)
	if err != nil {
		return nil, err
	}
	return &tfprotov6.GetProviderSchemaResponse{
		ServerCapabilities: capabilities,
		Provider:           provider,
		ResourceSchemas:    resources,
		DataSourceSchemas:  dataSources,
	}, nil
}

var capabilities = &tfprotov6.ServerCapabilities{GetProviderSchemaOptional: true}

func (s server) ValidateProviderConfig(_ context.Context, request *tfprotov6.ValidateProviderConfigRequest) (*tfprotov6.ValidateProviderConfigResponse, error) {
	return &tfprotov6.ValidateProviderConfigResponse{PreparedConfig: request.Config}, nil
}

func (s server) ValidateResourceConfig(context.Context, *tfprotov6.ValidateResourceConfigRequest) (*tfprotov6.ValidateResourceConfigResponse, error) {
	return &tfprotov6.ValidateResourceConfigResponse{}, nil
}

func (s server) ValidateDataResourceConfig(context.Context, *tfprotov6.ValidateDataResourceConfigRequest) (*tfprotov6.ValidateDataResourceConfigResponse, error) {
	return &tfprotov6.ValidateDataResourceConfigResponse{}, nil
}

// Between two runs of a test, what the first one made is read again.
func (s server) UpgradeResourceState(_ context.Context, request *tfprotov6.UpgradeResourceStateRequest) (*tfprotov6.UpgradeResourceStateResponse, error) {
	schema, err := schemaOf(s.schemas.ResourceSchemas[request.TypeName])
	if err != nil {
		return nil, err
	}
	shape := schema.ValueType()
	value, err := request.RawState.Unmarshal(shape)
	if err != nil {
		return nil, err
	}
	upgraded, err := tfprotov6.NewDynamicValue(shape, value)
	return &tfprotov6.UpgradeResourceStateResponse{UpgradedState: &upgraded}, err
}

func (s server) GetFunctions(context.Context, *tfprotov6.GetFunctionsRequest) (*tfprotov6.GetFunctionsResponse, error) {
	return &tfprotov6.GetFunctionsResponse{}, nil
}

func (s server) StopProvider(context.Context, *tfprotov6.StopProviderRequest) (*tfprotov6.StopProviderResponse, error) {
	return &tfprotov6.StopProviderResponse{}, nil
}

func schemasOf(all map[string]described) (map[string]*tfprotov6.Schema, error) {
	result := make(map[string]*tfprotov6.Schema, len(all))
	for name, one := range all {
		schema, err := schemaOf(one)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		result[name] = schema
	}
	return result, nil
}

func schemaOf(one described) (*tfprotov6.Schema, error) {
	block, err := blockOf(one.Block)
	return &tfprotov6.Schema{Block: block}, err
}

func blockOf(one block) (*tfprotov6.SchemaBlock, error) {
	attributes, err := attributesOf(one.Attributes)
	if err != nil {
		return nil, err
	}
	result := &tfprotov6.SchemaBlock{Attributes: attributes}
	for name, nested := range one.BlockTypes {
		inner, err := blockOf(nested.Block)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		mode, known := blockModes[nested.NestingMode]
		if !known {
			return nil, fmt.Errorf("%s: unknown nesting mode %q", name, nested.NestingMode)
		}
		result.BlockTypes = append(result.BlockTypes, &tfprotov6.SchemaNestedBlock{
			TypeName: name, Block: inner, Nesting: mode, MinItems: nested.MinItems, MaxItems: nested.MaxItems,
		})
	}
	return result, nil
}

var blockModes = map[string]tfprotov6.SchemaNestedBlockNestingMode{
	"single": tfprotov6.SchemaNestedBlockNestingModeSingle,
	"list":   tfprotov6.SchemaNestedBlockNestingModeList,
	"set":    tfprotov6.SchemaNestedBlockNestingModeSet,
	"map":    tfprotov6.SchemaNestedBlockNestingModeMap,
}

var attributeModes = map[string]tfprotov6.SchemaObjectNestingMode{
	"single": tfprotov6.SchemaObjectNestingModeSingle,
	"list":   tfprotov6.SchemaObjectNestingModeList,
	"set":    tfprotov6.SchemaObjectNestingModeSet,
	"map":    tfprotov6.SchemaObjectNestingModeMap,
}

func attributesOf(all map[string]attribute) ([]*tfprotov6.SchemaAttribute, error) {
	var result []*tfprotov6.SchemaAttribute
	for name, one := range all {
		schema := &tfprotov6.SchemaAttribute{
			Name: name, Required: one.Required, Optional: one.Optional, Computed: one.Computed, WriteOnly: one.WriteOnly,
		}
		if one.NestedType != nil {
			nested, err := attributesOf(one.NestedType.Attributes)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			mode, known := attributeModes[one.NestedType.NestingMode]
			if !known {
				return nil, fmt.Errorf("%s: unknown nesting mode %q", name, one.NestedType.NestingMode)
			}
			schema.NestedType = &tfprotov6.SchemaObject{Attributes: nested, Nesting: mode}
		} else {
			parsed, err := tftypes.ParseJSONType(one.Type) //nolint:staticcheck // types come as JSON here, as they do on the wire
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			schema.Type = parsed
		}
		result = append(result, schema)
	}
	return result, nil
}

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve() error {
	file := os.Getenv("PROVIDER_SCHEMAS")
	if file == "" {
		return fmt.Errorf("PROVIDER_SCHEMAS is not set: name the file with the schemas")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var known schemas
	if err := json.Unmarshal(text, &known); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	name := strings.TrimPrefix(filepath.Base(os.Args[0]), "terraform-provider-")
	return tf6server.Serve("registry.opentofu.org/hashicorp/"+name, func() tfprotov6.ProviderServer {
		return server{schemas: known}
	})
}
