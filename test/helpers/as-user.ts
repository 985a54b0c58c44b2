/** Connects as another user: the kernel tells the bus the user of the process at the time when it connects. */
import { connect, type MessageBus } from '../../src/index.js';

/** Why no other user can connect; `undefined` if one can. */
export const notRoot = process.getuid?.() === 0 ? undefined : 'only root can become another user';

/**
 * @param gids the supplementary groups
 * @param gid the primary group
 */
export async function connectAs(
  address: string,
  uid: number,
  gids: readonly number[] = [],
  gid = uid,
): Promise<MessageBus> {
  const before = process.getgroups?.() ?? [];
  process.setgroups?.([...gids]);
  process.setegid?.(gid);
  process.seteuid?.(uid);
  try {
    return await connect({ address });
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
    process.setgroups?.(before);
  }
}
