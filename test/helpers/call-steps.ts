/** Random steps of programs that call one another. */
import fc from 'fast-check';

export const CONNECTIONS = 3;
/** Well-known names that change their owners. */
export const NAMES = ['org.example.CallsA', 'org.example.CallsB'];

const who = fc.nat(CONNECTIONS - 1);
const which = fc.nat(40);
/** The destination: a connection, or a name. */
const whom = fc.oneof(who, fc.constantFrom(...NAMES));
/** Whether everything that was sent arrives before the next step. */
const rests = fc.boolean();
const does = <Kind extends string>(kind: Kind) => fc.constant(kind);

const steps = fc.array(
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({
        do: does('call'),
        who,
        whom,
        // The callee is a message handler, which answers when a step says so, or at once, and twice.
        member: fc.constantFrom('Ask', 'Ask', 'Ask', 'AskTwice', 'Slow', 'Slow', 'Echo', 'Fail'),
        timeout: fc.constantFrom(undefined, 60_000, Number.POSITIVE_INFINITY),
        group: fc.option(fc.nat(2)),
        noReply: fc.constantFrom(false, false, false, true),
        autoStart: fc.boolean(),
        isReserved: fc.boolean(),
        goesOn: fc.constantFrom(false, false, true),
        rests,
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: does('expire'),
        who,
        whom,
        timeouts: fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 3 }),
      }),
    },
    {
      weight: 14,
      arbitrary: fc.record({
        do: does('answer'),
        which,
        fails: fc.boolean(),
        from: fc.constantFrom<'callee' | number>('callee', 'callee', 'callee', 0, 1, 2),
        to: fc.constantFrom<'caller' | number>('caller', 'caller', 'caller', 0, 1, 2),
        isOther: fc.constantFrom(false, false, false, false, true),
        rests,
      }),
    },
    { weight: 4, arbitrary: fc.record({ do: does('finish'), which, fails: fc.boolean() }) },
    { weight: 3, arbitrary: fc.record({ do: does('abort'), group: fc.nat(2), isRenewed: fc.boolean(), rests }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: does('leave'), who, how: fc.constantFrom('at once', 'answering', 'when answered') }),
    },
    { weight: 2, arbitrary: fc.record({ do: does('hand over'), name: fc.constantFrom(...NAMES), who }) },
  ),
  { minLength: 10, maxLength: 60, size: 'max' },
);
export const programs = fc.record({ steps, end: fc.constantFrom('answered' as const, 'closed' as const) });
export type Step = ReturnType<typeof steps.generate>['value'][number];
export type StepOf<Kind extends Step['do']> = Extract<Step, { do: Kind }>;
