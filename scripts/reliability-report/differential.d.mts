export function agreementRate(agreed: number, messages: number): string;
