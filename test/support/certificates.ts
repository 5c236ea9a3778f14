import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Files of one certificate and what is in them. */
export interface TestCertificate {
  readonly cert: string
  readonly key: string
  /** Path of both in one file, as some programs want them. */
  readonly both: string
}

/** A CA of a test, with certificates that are as old as the test. */
export interface TestCa {
  /** Path of the CA's own certificate. */
  readonly file: string
  readonly folder: string
  /** @param names Alternative names as openssl writes them: `DNS:a.test`, `URI:sip:a.test`, `IP:127.0.0.1`. */
  issue(names: readonly string[], about?: { readonly name?: string; readonly days?: number }): TestCertificate
  /** Puts the files of one certificate in the place of another's, as a renewal does. */
  replace(old: TestCertificate, by: TestCertificate): void
  remove(): void
}

/** Makes a CA with the openssl command. */
export function createTestCa(): TestCa {
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-ca-'))
  const at = (name: string): string => join(folder, name)
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  writeFileSync(at('openssl.cnf'), '[req]\ndistinguished_name=dn\n[dn]\n[ca]\nbasicConstraints=critical,CA:TRUE\n')
  const request = ['req', '-config', 'openssl.cnf', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  openssl(
    ...request,
    '-x509',
    '-extensions',
    'ca',
    '-days',
    '2',
    '-subj',
    '/CN=Test CA',
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
  )
  let made = 0
  return {
    file: at('ca.pem'),
    folder,
    issue(names, { name, days = 2 } = {}) {
      const stem = name ?? `c${++made}`
      openssl(...request, '-subj', `/CN=${stem}`, '-keyout', `${stem}.key`, '-out', `${stem}.csr`)
      const extensions = names.length === 0 ? '' : `subjectAltName=${names.join(',')}\n`
      writeFileSync(at(`${stem}.ext`), `${extensions}basicConstraints=CA:FALSE\n`)
      const signing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-set_serial', String(Date.now() * 1_000 + made)]
      openssl(
        'x509',
        '-req',
        '-in',
        `${stem}.csr`,
        ...signing,
        '-days',
        String(days),
        '-extfile',
        `${stem}.ext`,
        '-out',
        `${stem}.pem`,
      )
      const files = { cert: at(`${stem}.pem`), key: at(`${stem}.key`), both: at(`${stem}.both.pem`) }
      writeFileSync(files.both, readFileSync(files.cert, 'utf8') + readFileSync(files.key, 'utf8'))
      return files
    },
    replace(old, by) {
      writeFileSync(old.cert, readFileSync(by.cert))
      writeFileSync(old.key, readFileSync(by.key))
      writeFileSync(old.both, readFileSync(by.both))
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
