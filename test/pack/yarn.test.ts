import { testInstallation } from './installation.js';
import { managers } from './managers.js';

testInstallation(managers.yarn);
