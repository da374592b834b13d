/** What all views of a lab have. */
import type { Model } from '../model.ts';
import type { Table } from '../table.ts';
import type { Line } from '../text.ts';

export const viewNames = [
  'topology',
  'grid',
  'layer',
  'flows',
  'links',
  'events',
  'logs',
  'commands',
] as const;
export type ViewName = (typeof viewNames)[number];

export const layerSections = ['members', 'adjacencies', 'routes', 'directory', 'enrolment'] as const;
export type LayerSection = (typeof layerSections)[number];

/** What a view is about, beside the lab. */
export interface Subject {
  readonly layer: string | undefined;
  readonly section: LayerSection;
  /** The node whose logs are shown; undefined for all. */
  readonly logsOf: string | undefined;
}

export interface View {
  readonly table: (model: Model, subject: Subject) => Table;
  /** What is known of a row, by its key. */
  readonly details: (model: Model, key: string, subject: Subject) => readonly Line[];
}
