/** `node --import` of this file: what `o7s-testbed test` runs tests with. */
import { registerModuleHooks } from './module-hooks.ts';

registerModuleHooks();
