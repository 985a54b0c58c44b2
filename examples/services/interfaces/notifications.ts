/** The interface of notification daemons, version 1.2 of the specification. */
import { defineInterface } from 'busbar';

export const Notifications = defineInterface('org.freedesktop.Notifications', {
  methods: {
    Notify: {
      in: ['app:s', 'replaces:u', 'icon:s', 'summary:s', 'body:s', 'actions:as', 'hints:a{sv}', 'milliseconds:i'],
      out: ['id:u'],
    },
    CloseNotification: { in: ['id:u'] },
    GetCapabilities: { out: ['capabilities:as'] },
    GetServerInformation: { out: ['name:s', 'vendor:s', 'version:s', 'specification:s'] },
  },
  signals: {
    NotificationClosed: { args: ['id:u', 'reason:u'] },
    ActionInvoked: { args: ['id:u', 'action:s'] },
  },
});
