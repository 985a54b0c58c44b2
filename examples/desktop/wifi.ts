/** Prints the saved Wi-Fi connections. `wifi.ts SSID NAME` gives those with this SSID another name. */
import { defineInterface, dict, systemBus } from 'busbar';

const settings = dict({ connection: dict({ id: 's', '...': 'v' }), '...': 'a{sv}' }, 'settings:a{sa{sv}}');
const Connection = defineInterface('org.freedesktop.NetworkManager.Settings.Connection', {
  methods: { GetSettings: { out: [settings] }, Update: { in: [settings] } },
});

await using bus = await systemBus();
using view = bus.objects('org.freedesktop.NetworkManager', '/org/freedesktop');
await view.ready;
for (const saved of view.of(Connection, { variants: 'keep' })) {
  const profile = await saved.call.GetSettings();
  const ssid = profile['802-11-wireless']?.ssid;
  if (ssid !== undefined) console.log(`${ssid}: ${profile.connection.id}`);
  if (`${ssid}` !== process.argv[2]) continue;
  profile.connection.id = process.argv[3] ?? `${ssid}`;
  await saved.call.Update(profile);
}
