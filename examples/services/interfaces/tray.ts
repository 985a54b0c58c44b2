/** The interfaces of icons in the tray of a desktop (StatusNotifierItem), and of their menus (dbusmenu). */
import { defineInterface } from 'busbar';

const text = { type: 's', access: 'read' } as const;
const pixels = { type: 'a(iiay)', access: 'read' } as const;

export const Watcher = defineInterface('org.kde.StatusNotifierWatcher', {
  methods: { RegisterStatusNotifierItem: { in: ['service:s'] }, RegisterStatusNotifierHost: { in: ['service:s'] } },
  signals: {
    StatusNotifierItemRegistered: { args: ['service:s'] },
    StatusNotifierItemUnregistered: { args: ['service:s'] },
    StatusNotifierHostRegistered: {},
  },
  properties: {
    RegisteredStatusNotifierItems: { type: 'as', access: 'read' },
    IsStatusNotifierHostRegistered: { type: 'b', access: 'read' },
    ProtocolVersion: { type: 'i', access: 'read' },
  },
});

/** Hosts read the properties again when a signal tells so: changes are not announced in the usual way. */
export const Item = defineInterface('org.kde.StatusNotifierItem', {
  methods: {
    ...{ ContextMenu: { in: ['x:i', 'y:i'] }, Activate: { in: ['x:i', 'y:i'] } },
    ...{ SecondaryActivate: { in: ['x:i', 'y:i'] }, Scroll: { in: ['delta:i', 'orientation:s'] } },
  },
  signals: {
    ...{ NewTitle: {}, NewIcon: {}, NewAttentionIcon: {}, NewOverlayIcon: {}, NewToolTip: {} },
    NewStatus: { args: ['status:s'] },
  },
  properties: {
    ...{ Category: text, Id: text, Title: text, Status: text },
    ...{ IconName: text, OverlayIconName: text, AttentionIconName: text, IconThemePath: text },
    ...{ IconPixmap: pixels, OverlayIconPixmap: pixels, AttentionIconPixmap: pixels },
    WindowId: { type: 'i', access: 'read' },
    ToolTip: { type: '(sa(iiay)ss)', access: 'read' },
    ItemIsMenu: { type: 'b', access: 'read' },
    Menu: { type: 'o', access: 'read' },
  },
});

export const Menu = defineInterface('com.canonical.dbusmenu', {
  methods: {
    GetLayout: { in: ['parent:i', 'depth:i', 'properties:as'], out: ['revision:u', 'layout:(ia{sv}av)'] },
    GetGroupProperties: { in: ['ids:ai', 'properties:as'], out: ['entries:a(ia{sv})'] },
    GetProperty: { in: ['id:i', 'name:s'], out: ['value:v'] },
    Event: { in: ['id:i', 'event:s', 'data:v', 'time:u'] },
    EventGroup: { in: ['events:a(isvu)'], out: ['errors:ai'] },
    AboutToShow: { in: ['id:i'], out: ['needsUpdate:b'] },
    AboutToShowGroup: { in: ['ids:ai'], out: ['updatesNeeded:ai', 'errors:ai'] },
  },
  signals: {
    ItemsPropertiesUpdated: { args: ['updated:a(ia{sv})', 'removed:a(ias)'] },
    LayoutUpdated: { args: ['revision:u', 'parent:i'] },
    ItemActivationRequested: { args: ['id:i', 'time:u'] },
  },
  properties: {
    Version: { type: 'u', access: 'read' },
    TextDirection: text,
    Status: text,
    IconThemePath: { type: 'as', access: 'read' },
  },
});
