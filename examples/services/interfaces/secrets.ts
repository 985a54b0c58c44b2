/** The interfaces of the Secret Service API. Clients make no collections: there is one, with the alias `default`. */
import { defineInterface, dict } from 'busbar';

/** The session, the parameters of its algorithm, the value, and the type of its content. */
const secret = 'secret:(oayays)';
const time = { type: 't', access: 'read' } as const;

export const Service = defineInterface('org.freedesktop.Secret.Service', {
  methods: {
    OpenSession: { in: ['algorithm:s', 'input:v'], out: ['output:v', 'session:o'] },
    SearchItems: { in: ['attributes:a{ss}'], out: ['unlocked:ao', 'locked:ao'] },
    Unlock: { in: ['objects:ao'], out: ['unlocked:ao', 'prompt:o'] },
    Lock: { in: ['objects:ao'], out: ['locked:ao', 'prompt:o'] },
    GetSecrets: { in: ['items:ao', 'session:o'], out: ['secrets:a{o(oayays)}'] },
    ReadAlias: { in: ['name:s'], out: ['collection:o'] },
  },
  signals: { CollectionChanged: { args: ['collection:o'] } },
  properties: { Collections: { type: 'ao', access: 'read' } },
});

const item = dict(
  { 'org.freedesktop.Secret.Item.Label?': 's', 'org.freedesktop.Secret.Item.Attributes?': 'a{ss}', '...': 'v' },
  'properties:a{sv}',
);
export const Collection = defineInterface('org.freedesktop.Secret.Collection', {
  methods: {
    SearchItems: { in: ['attributes:a{ss}'], out: ['items:ao'] },
    CreateItem: { in: [item, secret, 'replace:b'], out: ['item:o', 'prompt:o'] },
  },
  signals: {
    ItemCreated: { args: ['item:o'] },
    ItemChanged: { args: ['item:o'] },
    ItemDeleted: { args: ['item:o'] },
  },
  properties: {
    Items: { type: 'ao', access: 'read' },
    Locked: { type: 'b', access: 'read' },
    ...{ Label: { type: 's' }, Created: time, Modified: time },
  },
});

export const Item = defineInterface('org.freedesktop.Secret.Item', {
  methods: {
    Delete: { out: ['prompt:o'] },
    GetSecret: { in: ['session:o'], out: [secret] },
    SetSecret: { in: [secret] },
  },
  properties: {
    Locked: { type: 'b', access: 'read' },
    Attributes: { type: 'a{ss}' },
    ...{ Label: { type: 's' }, Created: time, Modified: time },
  },
});

export const Session = defineInterface('org.freedesktop.Secret.Session', { methods: { Close: {} } });

export const Prompt = defineInterface('org.freedesktop.Secret.Prompt', {
  methods: { Prompt: { in: ['window:s'] }, Dismiss: {} },
  signals: { Completed: { args: ['dismissed:b', 'result:v'] } },
});
