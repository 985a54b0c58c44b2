/** Decorates a member as a compiler with `experimentalDecorators` does. */
export function legacy(decorator: unknown, { prototype }: { readonly prototype: object }, key: string): void {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, key);
  (decorator as (prototype: object, key: string, descriptor?: PropertyDescriptor) => void)(prototype, key, descriptor);
}
