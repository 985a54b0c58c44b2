/** The members of an interface as programs write them: in a definition, and in part in the options of decorators. */
import type { VariantChoice } from '../signature/types.js';
import type { Access, EmitsChanged, ReturnedInterface } from './description.js';

/** Arguments: an array with `'name:signature'` or a signature for each, or one signature for all of them. */
export type ArgumentList = string | readonly string[];

export interface MemberInput {
  /** What the member means, for the introspection data: `gdbus introspect` shows it, and code generators use it. */
  readonly docs?: string | undefined;
  /** Marks the member as deprecated. */
  readonly deprecated?: boolean | undefined;
  /** Further annotations, by name. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** The documentation of arguments. */
interface ArgumentDocs {
  /** What the arguments mean, by their names; for a method, those of its results as well. */
  readonly argumentDocs?: Readonly<Record<string, string>> | undefined;
}

/** Options of a member for its implementation alone. Clients see the same interface. */
export interface ReadingChoice {
  /**
   * How the implementation gets variants that clients send: `'plain'` (the default) as the value in them, `'wrap'` as
   * `Variant`, which keeps the type, `'keep'` as the value in them, whose type busbar remembers and writes again.
   * Clients choose for themselves with `proxy.with({ variants })`.
   */
  readonly variants?: VariantChoice | undefined;
}

/** A method in a definition. */
export interface MethodInput extends MemberInput, ArgumentDocs, ReadingChoice {
  /** The arguments; none by default. */
  readonly in?: ArgumentList | undefined;
  /** The values of the reply; none by default. */
  readonly out?: ArgumentList | undefined;
  /** Callers are not meant to wait for a reply. Excludes `out`. */
  readonly noReply?: boolean | undefined;
  /**
   * The interface of the object whose path the method returns. A proxy's call then resolves with a proxy of that object,
   * at the same destination and with the same options, instead of the path; with an array of proxies for `ao`. If the
   * method has several results, an array with an interface for each path, and `undefined` for every other result. The
   * implementation returns paths in any case.
   */
  readonly returns?: ReturnedInterface | readonly (ReturnedInterface | undefined)[] | undefined;
}

/** A signal in a definition. */
export interface SignalInput extends MemberInput, ArgumentDocs {
  /** The arguments; none by default. */
  readonly args?: ArgumentList | undefined;
}

/** A property in a definition. */
export interface PropertyInput extends MemberInput, ReadingChoice {
  /** The signature of one complete type. */
  readonly type: string;
  /** `readwrite` by default. */
  readonly access?: Access | undefined;
  /**
   * The announcement of a change of the property. By default the interface's annotation decides, which is `true` by default.
   */
  readonly emits?: EmitsChanged | undefined;
}
