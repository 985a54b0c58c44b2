// time limit: 300 s
// Jest 30.
import { testJest } from './jest-project.js';

await testJest('30.5.2');
