import { describe, expect, it } from '@jest/globals';
import { schemaOf } from './provider-schema.ts';

/** What a generated module looks like, with one of everything. */
const MODULE = `"use strict";
const cdktn = __importStar(require("cdktn"));
function thingRuleToTerraform(struct) {
    return {};
}
function thingRuleToHclTerraform(struct) {
    const attrs = {
        port: {
            value: cdktn.numberToHclTerraform(struct.port),
            isBlock: false,
            type: "simple",
            storageClassType: "number",
        },
    };
}
class ThingRuleOutputReference extends cdktn.ComplexObject {
    // port - computed: false, optional: false, required: true
    _port;
    get port() {
        return this.getNumberAttribute('port');
    }
    // state - computed: true, optional: false, required: false
    get state() {
        return this.getStringAttribute('state');
    }
}
class ThingRuleList extends cdktn.ComplexList {
}
class ThingOwnerOutputReference extends cdktn.ComplexObject {
    // arn - computed: true, optional: false, required: false
    get arn() {
        return this.getStringAttribute('arn');
    }
}
class Thing extends cdktn.TerraformResource {
    // arn - computed: true, optional: false, required: false
    get arn() {
        return this.getStringAttribute('arn');
    }
    // name - computed: false, optional: false, required: true
    _name;
    get name() {
        return this.getStringAttribute('name');
    }
    // zones - computed: true, optional: false, required: false
    get zones() {
        return cdktn.Fn.tolist(this.getListAttribute('zones'));
    }
    // owner - computed: true, optional: false, required: false
    _owner = new ThingOwnerList(this, "owner", false);
    get owner() {
        return this._owner;
    }
    // only_rule - computed: false, optional: false, required: true
    _onlyRule = new ThingRuleOutputReference(this, "only_rule");
    get onlyRule() {
        return this._onlyRule;
    }
    synthesizeHclAttributes() {
        const attrs = {
            name: {
                value: cdktn.stringToHclTerraform(this._name),
                isBlock: false,
                type: "simple",
                storageClassType: "string",
            },
            password_wo: {
                value: this.markWriteOnlyAttribute(cdktn.stringToHclTerraform(this._passwordWo)),
                isBlock: false,
                type: "simple",
                storageClassType: "string",
            },
            cidrs: {
                value: cdktn.listMapperHcl(cdktn.stringToHclTerraform, false)(this._cidrs),
                isBlock: false,
                type: "set",
                storageClassType: "stringList",
            },
            tags: {
                value: cdktn.hashMapperHcl(cdktn.stringToHclTerraform)(this._tags),
                isBlock: false,
                type: "map",
                storageClassType: "stringMap",
            },
            route: {
                value: cdktn.listMapperHcl(thingRuleToHclTerraform, true)(this._route.internalValue),
                isBlock: false,
                type: "set",
                storageClassType: "ThingRuleList",
            },
            only_rule: {
                value: thingRuleToHclTerraform(this._onlyRule.internalValue),
                isBlock: true,
                type: "list",
                storageClassType: "ThingRuleList",
            },
            rule: {
                value: cdktn.listMapperHcl(thingRuleToHclTerraform, true)(this._rule.internalValue),
                isBlock: true,
                type: "set",
                storageClassType: "ThingRuleList",
            },
            timeouts: {
                value: thingRuleToHclTerraform(this._timeouts.internalValue),
                isBlock: true,
                type: "struct",
                storageClassType: "ThingRule",
            },
        };
    }
}
exports.Thing = Thing;
`;

describe('schemaOf', () => {
  const { attributes, block_types: blocks } = schemaOf(MODULE);
  const rule = {
    attributes: {
      port: { type: 'number', required: true },
      state: { type: 'string', computed: true },
    },
    block_types: {},
  };

  it('knows what is required, what is computed, and what is never read back', () => {
    expect(attributes['name']).toEqual({ type: 'string', required: true });
    expect(attributes['arn']).toEqual({ type: 'string', computed: true });
    expect(attributes['password_wo']).toEqual({ type: 'string', optional: true, write_only: true });
  });

  it('knows collections, those that are written and those that are only read', () => {
    expect(attributes['cidrs']?.type).toEqual(['set', 'string']);
    expect(attributes['tags']?.type).toEqual(['map', 'string']);
    expect(attributes['zones']?.type).toEqual(['set', 'string']);
    expect(attributes['owner']?.type).toEqual(['list', ['object', { arn: 'string' }]]);
    expect(attributes['route']?.type).toEqual(['set', ['object', { port: 'number', state: 'string' }]]);
  });

  it('knows of a block whether there is one at most, one at least, or any number', () => {
    expect(blocks['only_rule']).toEqual({ nesting_mode: 'list', block: rule, min_items: 1, max_items: 1 });
    expect(blocks['rule']).toEqual({ nesting_mode: 'set', block: rule });
    expect(blocks['timeouts']).toEqual({ nesting_mode: 'single', block: rule });
  });

  it('says so when it is given something else', () => {
    expect(() => schemaOf('export {}')).toThrow('no class of a resource');
  });
});
