// time limit: 300 s
// Jest 29.
import { testJest } from './jest-project.js';

await testJest('29.7.0');
