/** The interface of power-profiles-daemon. */
import { arrayOf, defineInterface, dict } from 'busbar';

export const PowerProfiles = defineInterface('net.hadess.PowerProfiles', {
  methods: {
    HoldProfile: { in: ['profile:s', 'reason:s', 'application:s'], out: ['cookie:u'] },
    ReleaseProfile: { in: ['cookie:u'] },
  },
  signals: { ProfileReleased: { args: ['cookie:u'] } },
  properties: {
    ActiveProfile: { type: 's' },
    PerformanceDegraded: { type: 's', access: 'read' },
    Profiles: { type: arrayOf(dict({ Profile: 's', Driver: 's' })), access: 'read' },
    Actions: { type: 'as', access: 'read' },
    ActiveProfileHolds: { type: arrayOf(dict({ Profile: 's', Reason: 's', ApplicationId: 's' })), access: 'read' },
  },
});
