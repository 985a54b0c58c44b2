/**
 * Every parameter of the public API that takes options, found by the compiler: in the functions and classes that `index.ts`
 * exports, and in their results. So a test notices new options.
 */
import { createRequire } from 'node:module';
// The compiler of the project has no API; the oldest supported one has.
import type ts from '../types/oldest/node_modules/typescript/lib/typescript.js';
import { projectRoot } from './paths.js';

const compiler: typeof ts = createRequire(`${projectRoot}test/types/oldest/package.json`)('typescript');

/** Objects that busbar makes, and descriptions of interfaces: these are not options. */
const NO_OPTIONS = new Set([
  'InterfaceDescription',
  'NodeDescription',
  'InterfaceDefinition',
  'ServiceInterfaceClass',
  'InvalidSignature',
  'Message',
  'CallContext',
]);

interface OptionParameter {
  /** The types of the parameter, with their names in the source: `WatchOptions`. */
  readonly type: string;
  /** A place where it is taken. */
  readonly where: string;
  readonly keys: readonly string[];
}

/** The public API, by the functions that take options and by the objects that can be disposed. */
export function publicApi(): Pick<Walk, 'found' | 'disposables'> {
  const program = compiler.createProgram([`${projectRoot}src/index.ts`], {
    target: compiler.ScriptTarget.ESNext,
    module: compiler.ModuleKind.NodeNext,
    moduleResolution: compiler.ModuleResolutionKind.NodeNext,
    lib: ['lib.esnext.d.ts', 'lib.dom.d.ts'],
    typeRoots: [`${projectRoot}node_modules/@types`],
    types: ['node'],
    strict: true,
    skipLibCheck: true,
  });
  return new Walk(program);
}

class Walk {
  /** The parameters by their type, each once. */
  readonly found = new Map<string, OptionParameter>();
  /** Disposable objects, by their type: how, and their functions. */
  readonly disposables = new Map<
    string,
    { readonly how: 'dispose' | 'asyncDispose'; readonly members: readonly string[] }
  >();
  readonly #checker: ts.TypeChecker;
  readonly #seen = new Set<ts.Type>();

  constructor(program: ts.Program) {
    this.#checker = program.getTypeChecker();
    const index = program.getSourceFile(`${projectRoot}src/index.ts`) as ts.SourceFile;
    const module = this.#checker.getSymbolAtLocation(index) as ts.Symbol;
    for (const exported of this.#checker.getExportsOfModule(module)) {
      const isAlias = (exported.flags & compiler.SymbolFlags.Alias) !== 0;
      const symbol = isAlias ? this.#checker.getAliasedSymbol(exported) : exported;
      if (symbol.name === 'CallContext') this.#type(this.#checker.getDeclaredTypeOfSymbol(symbol), symbol.name);
      if ((symbol.flags & compiler.SymbolFlags.Value) === 0) continue;
      this.#type(this.#checker.getTypeOfSymbol(symbol), symbol.name);
      if ((symbol.flags & compiler.SymbolFlags.Class) !== 0)
        this.#type(this.#checker.getDeclaredTypeOfSymbol(symbol), symbol.name);
    }
  }

  #type(type: ts.Type, where: string): void {
    if (this.#seen.has(type)) return;
    this.#seen.add(type);
    if (type.isUnionOrIntersection()) for (const part of type.types) this.#type(part, where);
    const { typeArguments = [] } = type as ts.TypeReference;
    for (const argument of typeArguments) this.#type(argument, where);
    if (!isOfSource(type)) return;
    for (const signature of this.#signatures(type)) this.#signature(signature, where);
    for (const index of this.#checker.getIndexInfosOfType(type)) this.#type(index.type, `${where}.*`);
    this.#noteDisposable(type, where);
    for (const property of this.#checker.getPropertiesOfType(type)) {
      if (!isPublic(property)) continue;
      this.#type(this.#checker.getTypeOfSymbol(property), `${where}.${property.name}`);
    }
  }

  #noteDisposable(type: ts.Type, where: string): void {
    const members = this.#checker.getPropertiesOfType(type).map(({ name }) => name);
    const symbol = members
      .map((name) => /^__@(dispose|asyncDispose)@/.exec(name)?.[1])
      .find((name) => name !== undefined);
    if (symbol === undefined) return;
    this.disposables.set(nameOf(type) ?? where, { how: symbol as 'dispose' | 'asyncDispose', members });
  }

  #signatures(type: ts.Type): readonly ts.Signature[] {
    const constructors = type.getConstructSignatures().filter(({ declaration }) => declaration && isShown(declaration));
    return [...type.getCallSignatures(), ...constructors];
  }

  #signature(signature: ts.Signature, where: string): void {
    for (const parameter of signature.parameters) {
      const type = this.#checker.getNonNullableType(this.#checker.getTypeOfSymbol(parameter));
      this.#parameter(type, `${where}(${parameter.name})`);
    }
    // The result of a generic function depends on its arguments, which is too much for the compiler.
    if (signature.typeParameters === undefined) this.#type(signature.getReturnType(), where);
  }

  #parameter(given: ts.Type, where: string): void {
    const constraint = this.#checker.getBaseConstraintOfType(given) ?? given;
    const parts = constraint.isUnion() ? constraint.types : [constraint];
    for (const part of parts) {
      const type = nameOf(part) ?? where;
      if (NO_OPTIONS.has(type) || !isOfSource(part) || !this.#isOptions(part)) continue;
      const keys = this.#checker.getPropertiesOfType(part).map(({ name }) => name);
      const known = this.found.get(type);
      this.found.set(type, {
        type,
        where: known?.where ?? where,
        keys: [...new Set([...(known?.keys ?? []), ...keys])],
      });
    }
  }

  /** A table of keys: not a function, not an array, and without methods. */
  #isOptions(type: ts.Type): boolean {
    if (type.isUnion() || (type.flags & (compiler.TypeFlags.Object | compiler.TypeFlags.Intersection)) === 0)
      return false;
    if (type.isClass() || this.#checker.isArrayType(type) || this.#checker.isTupleType(type)) return false;
    if (this.#signatures(type).length > 0) return false;
    const properties = this.#checker.getPropertiesOfType(type);
    return (
      properties.length > 0 && properties.every((property) => (property.flags & compiler.SymbolFlags.Property) !== 0)
    );
  }
}

/** The name in the source: types that are written in place have none. */
function nameOf(type: ts.Type): string | undefined {
  if (type.isIntersection() && type.aliasSymbol === undefined) {
    return type.types.flatMap((part) => nameOf(part) ?? []).join(' & ');
  }
  const symbol = type.aliasSymbol ?? type.symbol;
  return symbol === undefined || symbol.name === '__type' ? undefined : symbol.name;
}

function isOfSource(type: ts.Type): boolean {
  if (type.isIntersection()) return type.types.some(isOfSource);
  const declarations = (type.aliasSymbol ?? type.symbol)?.declarations ?? [];
  return declarations.some((declaration) => declaration.getSourceFile().fileName.startsWith(`${projectRoot}src/`));
}

function isPublic(symbol: ts.Symbol): boolean {
  if (/^(#|__|prototype$)/.test(symbol.name)) return false;
  const declarations = symbol.declarations ?? [];
  return declarations.length === 0 || declarations.some(isShown);
}

function isShown(declaration: ts.Declaration): boolean {
  const hidden = compiler.ModifierFlags.Private | compiler.ModifierFlags.Protected;
  if ((compiler.getCombinedModifierFlags(declaration) & hidden) !== 0) return false;
  return !compiler.getJSDocTags(declaration).some(({ tagName }) => tagName.text === 'internal');
}
