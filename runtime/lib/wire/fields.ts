/**
 * The table beside every header view: which bytes hold what. The view is what the data path runs; the
 * table is what people and tests read. One test checks that both agree.
 */

export type FieldKind = 'u8' | 'u16' | 'u24' | 'u32' | 'u64' | 'i32' | 'mac' | 'bytes';

export interface Field {
  /** The name of the accessor in the view. */
  readonly name: string;
  readonly kind: FieldKind;
  /** Offset from the start of the header, in bytes. */
  readonly offset: number;
  /** Length in bytes. */
  readonly width: number;
  readonly unit?: string;
  readonly meaning: string;
}

/** All integers are big-endian; offsets leave no gap and no padding. */
export type FieldTable = readonly Field[];

const widths: Record<Exclude<FieldKind, 'bytes'>, number> = {
  u8: 1,
  u16: 2,
  u24: 3,
  u32: 4,
  u64: 8,
  i32: 4,
  mac: 6,
};

/** A field without its offset. */
export type FieldRow = readonly [
  name: string,
  kind: Exclude<FieldKind, 'bytes'>,
  meaning: string,
  unit?: string,
];

/** A table from rows in wire order; offsets follow from the widths. */
export function fieldTable(rows: readonly FieldRow[]): FieldTable {
  let offset = 0;
  return rows.map(([name, kind, meaning, unit]) => {
    const field = {
      name,
      kind,
      offset,
      width: widths[kind],
      meaning,
      ...(unit === undefined ? {} : { unit }),
    };
    offset += field.width;
    return field;
  });
}

/** Length in bytes of the header a table describes. */
export function headerBytes(table: FieldTable): number {
  const last = table.at(-1);
  return last === undefined ? 0 : last.offset + last.width;
}
