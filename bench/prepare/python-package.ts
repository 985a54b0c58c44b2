/** What version of a Python package an interpreter has. */
import { outputOf } from '../../test/helpers/program.js';

/** The version of the package that has a module, as its metadata says; with that of Python. */
export async function pythonPackageVersion(python: string, module: string): Promise<string> {
  const script = `
import importlib.metadata, platform
try: version = importlib.metadata.version("${module.replaceAll('_', '-')}")
except importlib.metadata.PackageNotFoundError: version = "of the distribution"
print(version + ", Python " + platform.python_version())`;
  return (await outputOf(python, ['-c', script])).trim();
}
