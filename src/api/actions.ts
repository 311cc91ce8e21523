// The routes that are no plain create, read, update and delete, calls aside.
import { callerIdRoutes } from './caller-ids.ts';
import type { CrudDeps } from './crud.ts';
import { dialingPermissionRoutes } from './dialing-permissions.ts';
import type { Route } from './route.ts';
import { trunkNumberRoutes } from './trunk-numbers.ts';
import { trunkRecordingRoutes } from './trunk-recording.ts';

export const actionRoutes = (deps: CrudDeps): readonly Route[] => [
  ...trunkNumberRoutes(deps),
  ...trunkRecordingRoutes(deps),
  ...callerIdRoutes(deps),
  ...dialingPermissionRoutes(deps),
];
