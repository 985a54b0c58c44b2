/**
 * The interfaces of a program of BlueZ, most of which it exports only if there is hardware. BlueZ makes its introspection
 * data of tables in the program (`gdbus/object.c`: GDBusMethodTable, GDBusSignalTable, GDBusPropertyTable), which are read
 * here: the calls of `g_dbus_register_interface` in the machine code have their addresses, and the relocations of the
 * program their texts. For programs of x86-64.
 */
import { readFileSync } from 'node:fs';
import { output } from './packages.js';

/** The registers of `g_dbus_register_interface`; the compiler has removed parameters that are always the same. */
export interface Registers {
  readonly methods: string;
  readonly signals?: string;
  readonly properties: string;
}

const RELATIVE = 8;
const DEPRECATED = 1;
const METHOD = { NO_REPLY: 2, HIDDEN: 8 | 16 };
const SIGNAL_HIDDEN = 2 | 4;
const PROPERTY_HIDDEN = 2 | 4;

/** The introspection data of the interfaces whose names begin with `prefix`. */
export function interfacesInProgram(path: string, prefix: string, registers: Registers): string {
  const program = new ProgramImage(path);
  const xml = new Map<string, string>();
  for (const values of registersOfCalls(path)) {
    const name = program.text(values.get('rdx')) ?? '';
    if (!name.startsWith(prefix)) continue;
    // Functions other than `g_dbus_register_interface` have no tables in these registers.
    const described = [
      ...program.methods(values.get(registers.methods)),
      ...(registers.signals === undefined ? [] : program.signals(values.get(registers.signals))),
      ...program.properties(values.get(registers.properties)),
    ];
    if (described.length > 0 && !xml.has(name))
      xml.set(name, `<interface name="${name}">${described.join('')}</interface>`);
  }
  return `<node>${[...xml.values()].join('')}</node>`;
}

/** The sections of a program, and the values that its relocations write. */
class ProgramImage {
  readonly #bytes: Buffer;
  readonly #sections: { readonly size: number; readonly address: number; readonly offset: number }[] = [];
  readonly #pointers = new Map<number, number>();

  constructor(path: string) {
    this.#bytes = readFileSync(path);
    for (const line of output('objdump', ['-h', path]).split('\n')) {
      const [, name, ...numbers] = /^\s*\d+ (\S+)\s+(\S+)\s+(\S+)\s+\S+\s+(\S+)/.exec(line) ?? [];
      const [size = 0, address = 0, offset = 0] = numbers.map((text) => Number.parseInt(text, 16));
      if (name === '.rela.dyn') this.#readRelocations(offset, size);
      if (address !== 0 && name !== '.bss') this.#sections.push({ size, address, offset });
    }
  }

  #readRelocations(offset: number, size: number): void {
    for (let at = offset; at < offset + size; at += 24) {
      const type = this.#bytes.readUInt32LE(at + 8);
      const value = type === RELATIVE ? Number(this.#bytes.readBigInt64LE(at + 16)) : -1;
      this.#pointers.set(Number(this.#bytes.readBigUInt64LE(at)), value);
    }
  }

  #offset(address: number): number | undefined {
    const section = this.#sections.find((each) => each.address <= address && address < each.address + each.size);
    return section && section.offset + address - section.address;
  }

  text(address: number | undefined): string | undefined {
    const start = address === undefined ? undefined : this.#offset(address);
    return start === undefined ? undefined : this.#bytes.toString('latin1', start, this.#bytes.indexOf(0, start));
  }

  #pointer(address: number): number | undefined {
    return this.#pointers.get(address);
  }

  #textAt(address: number): string {
    return this.text(this.#pointer(address)) ?? '';
  }

  #flags(address: number): number {
    return this.#bytes.readUInt32LE(this.#offset(address));
  }

  /** The rows of a table, until one whose first field is null. */
  *#rows(table: number | undefined, size: number): Iterable<number> {
    for (let row = table ?? 0; row !== 0 && this.#pointer(row) !== undefined; row += size) yield row;
  }

  #arguments(table: number | undefined, direction: string): string {
    const rows = [...this.#rows(table, 16)];
    const attributes = rows.map((row) => `name="${this.#textAt(row)}" type="${this.#textAt(row + 8)}"`);
    return attributes.map((text) => `<arg ${text}${direction}/>`).join('');
  }

  *methods(table: number | undefined): Iterable<string> {
    for (const row of this.#rows(table, 40)) {
      const flags = this.#flags(row + 16);
      if (flags & METHOD.HIDDEN) continue;
      const args =
        this.#arguments(this.#pointer(row + 24), ' direction="in"') +
        this.#arguments(this.#pointer(row + 32), ' direction="out"');
      const noReply =
        flags & METHOD.NO_REPLY ? '<annotation name="org.freedesktop.DBus.Method.NoReply" value="true"/>' : '';
      yield `<method name="${this.#textAt(row)}">${args}${deprecation(flags)}${noReply}</method>`;
    }
  }

  *signals(table: number | undefined): Iterable<string> {
    for (const row of this.#rows(table, 24)) {
      const flags = this.#flags(row + 8);
      if (flags & SIGNAL_HIDDEN) continue;
      const args = this.#arguments(this.#pointer(row + 16), '');
      yield `<signal name="${this.#textAt(row)}">${args}${deprecation(flags)}</signal>`;
    }
  }

  *properties(table: number | undefined): Iterable<string> {
    for (const row of this.#rows(table, 48)) {
      const flags = this.#flags(row + 40);
      if (flags & PROPERTY_HIDDEN) continue;
      const access = `${this.#pointer(row + 16) === undefined ? '' : 'read'}${this.#pointer(row + 24) === undefined ? '' : 'write'}`;
      const attributes = `name="${this.#textAt(row)}" type="${this.#textAt(row + 8)}" access="${access}"`;
      yield `<property ${attributes}>${deprecation(flags)}</property>`;
    }
  }
}

function deprecation(flags: number): string {
  return flags & DEPRECATED ? '<annotation name="org.freedesktop.DBus.Deprecated" value="true"/>' : '';
}

/** The addresses that registers are known to have, at every call in the machine code. */
function* registersOfCalls(path: string): Iterable<ReadonlyMap<string, number>> {
  let known = new Map<string, number>();
  const set = (register: string, value: number | undefined) =>
    value === undefined ? known.delete(register) : known.set(register, value);
  for (const line of output('objdump', ['-d', '--no-show-raw-insn', path]).split('\n')) {
    const [, operation, operands = ''] = /^\s*[0-9a-f]+:\s+(\S+)\s*(.*)/.exec(line) ?? [];
    if (operation === undefined) {
      if (line.endsWith('>:')) known = new Map();
      continue;
    }
    const address = /\(%rip\),%(\w+)\s+# ([0-9a-f]+)/.exec(operands);
    const cleared = /^%(\w+),%\1$/.exec(operands);
    const moved = /^(%r\w+|(?:0x[0-9a-f]+)?\(%rsp\)),(%r\w+|(?:0x[0-9a-f]+)?\(%rsp\))$/.exec(operands);
    if (operation === 'lea' && address) set(address[1], Number.parseInt(address[2], 16));
    else if (operation === 'xor' && cleared) set(wide(cleared[1]), 0);
    else if (operation === 'mov' && moved) set(moved[2].replace(/^%/, ''), known.get(moved[1].replace(/^%/, '')));
    else if (operation === 'call') {
      yield known;
      for (const register of ['rax', 'rcx', 'rdx', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11']) known.delete(register);
    } else {
      const written = /%(\w+)$/.exec(operands);
      if (written) known.delete(wide(written[1]));
    }
  }
}

/** The register of 64 bits of which this is a part. */
function wide(register: string): string {
  return register.replace(/^e/, 'r').replace(/^(r\d+)d$/, '$1');
}
