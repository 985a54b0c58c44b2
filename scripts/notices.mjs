/** `npm run notices`: writes THIRD-PARTY-NOTICES anew, after a change of dependencies. */
import { writeFileSync } from 'node:fs';
import { notices, noticesFile } from './package/notices.mjs';

writeFileSync(noticesFile, await notices());
