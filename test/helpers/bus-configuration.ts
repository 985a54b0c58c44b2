/**
 * The configuration file of a private dbus-daemon: the content of the distribution's session.conf and system.conf, without
 * anything of this machine (its services, its local additions, its user to run as).
 *
 * @see dbus-daemon(1), "Configuration file"
 */

export interface BusConfiguration {
  readonly type: 'session' | 'system';
  /** The address to listen on. */
  readonly address: string;
  /** A further configuration file to include. */
  readonly include: string | undefined;
  /** A folder with `.service` files for activation. */
  readonly serviceFolder: string | undefined;
  /** Limits by the names of dbus-daemon(1), beyond the defaults of the type. */
  readonly limits: Readonly<Record<string, number>>;
}

/** The start of every configuration file of a bus. */
const configurationHeader = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
`;

/** Every user may do everything. */
const sessionPolicy = `
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>`;

/** No user may own a name or call a method until the policy of a service allows it. */
const systemPolicy = `
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus.Introspectable"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus.Properties"/>
    <deny send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus"
          send_member="UpdateActivationEnvironment"/>
  </policy>
  <policy user="root">
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus.Monitoring"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus.Debug.Stats"/>
  </policy>`;

/** A session bus has practically no limits; a system bus keeps the daemon's own, which are low. */
const sessionLimits: Readonly<Record<string, number>> = {
  max_incoming_bytes: 1_000_000_000,
  max_incoming_unix_fds: 250_000_000,
  max_outgoing_bytes: 1_000_000_000,
  max_outgoing_unix_fds: 250_000_000,
  max_message_size: 1_000_000_000,
  service_start_timeout: 120_000,
  auth_timeout: 240_000,
  pending_fd_timeout: 150_000,
  max_completed_connections: 100_000,
  max_incomplete_connections: 10_000,
  max_connections_per_user: 100_000,
  max_pending_service_starts: 10_000,
  max_names_per_connection: 50_000,
  max_match_rules_per_connection: 50_000,
  max_replies_per_connection: 50_000,
};

/** The text of the configuration file. */
export function busConfiguration(configuration: BusConfiguration): string {
  const { type, address, include, serviceFolder } = configuration;
  const limits = { ...(type === 'session' ? sessionLimits : {}), ...configuration.limits };
  const lines = [
    `<type>${type}</type>`,
    `<listen>${address}</listen>`,
    '<auth>EXTERNAL</auth>',
    ...(serviceFolder === undefined ? [] : [`<servicedir>${serviceFolder}</servicedir>`]),
    (type === 'session' ? sessionPolicy : systemPolicy).trim(),
    // Later policies override earlier ones, so the caller's comes last.
    ...(include === undefined ? [] : [`<include>${include}</include>`]),
    ...Object.entries(limits).map(([name, value]) => `<limit name="${name}">${value}</limit>`),
  ];
  return `${configurationHeader}<busconfig>\n${lines.map((line) => `  ${line}\n`).join('')}</busconfig>\n`;
}

/** A configuration file from `<policy>` elements alone, or the text itself if it is a whole file. */
export function policyFile(xml: string): string {
  return xml.includes('<busconfig') ? xml : `${configurationHeader}<busconfig>\n${xml}\n</busconfig>\n`;
}
