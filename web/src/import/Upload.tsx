// The first step: which kind of file, the file, and having it checked. Nothing is changed by it.
import { Anchor, Button, FileInput, NativeSelect, Paper, Stack, Text, Title } from "@mantine/core";
import { useState } from "react";
import { IMPORT_KINDS, type Import, type ImportKind, imports } from "../api/imports.ts";
import { ProblemError } from "../api.ts";
import { useTranslation } from "../i18n/words.ts";
import { useIntent } from "../intent.ts";
import { useTimeFormat } from "../session/queries.ts";
import rows from "../ui/rows.module.css";
import { FILE_MAX_MEGABYTES, type FileMistake, LINES_MAX, readFile } from "./file.ts";
import { useImportWords } from "./words.ts";

/** What the server says of a file as a whole, by its code; in the dictionaries under `import.csv`. */
const FILE_PROBLEMS = ["empty", "too_many", "too_big", "missing", "unknown_field", "twice", "invalid"] as const;

/** Thrown so that a file which is not even sent fails like one that is refused. */
class BadFile extends Error {
  readonly mistake: FileMistake;

  constructor(mistake: FileMistake) {
    super(`the file was not sent: ${mistake}`);
    this.mistake = mistake;
  }
}

function useMistakeWords(): (error: unknown) => string | null {
  const { t } = useTranslation();
  const words = useImportWords();
  const numbers = new Intl.NumberFormat(useTimeFormat().locale);
  return (error) => {
    if (error === null) return null;
    if (error instanceof BadFile) return t(`import.mistake.${error.mistake}`, { megabytes: FILE_MAX_MEGABYTES });
    const [first] = error instanceof ProblemError ? error.fieldErrors : [];
    const known = FILE_PROBLEMS.find((code) => code === first?.code);
    return known === undefined ? words(error) : t(`import.csv.${known}`, { lines: numbers.format(LINES_MAX) });
  };
}

function Template({ kind }: { kind: ImportKind }) {
  const { t } = useTranslation();
  return (
    <Text size="sm">
      {t(`import.columns.${kind}`)}{" "}
      <Anchor href={imports.templateAt(kind)} download={`${kind}.csv`} underline="always">
        {t("import.template")}
      </Anchor>{" "}
      <Text span c="dimmed">
        {t("import.templateText")}
      </Text>
    </Text>
  );
}

/** See the head of this file. */
export function Upload({ onSent }: { onSent: (job: Import) => void }) {
  const { t } = useTranslation();
  const numbers = new Intl.NumberFormat(useTimeFormat().locale);
  const words = useMistakeWords();
  const [kind, setKind] = useState<ImportKind>("patients");
  const [file, setFile] = useState<File | null>(null);
  const check = useIntent(
    async (intent) => {
      const read = await readFile(file);
      if ("mistake" in read) throw new BadFile(read.mistake);
      return imports.check({ kind, csv: read.text }, intent);
    },
    { onSuccess: onSent },
  );
  return (
    <Paper withBorder radius="lg" p="lg" component="section" aria-labelledby="new-import">
      <Stack>
        <Title order={2} id="new-import">
          {t("import.new")}
        </Title>
        <div className={rows.pair}>
          <NativeSelect
            label={t("import.kind")}
            value={kind}
            data={IMPORT_KINDS.map((value) => ({ value, label: t(`import.kinds.${value}`) }))}
            onChange={(event) => {
              check.reset();
              setKind(IMPORT_KINDS.find((known) => known === event.currentTarget.value) ?? "patients");
            }}
          />
          <FileInput
            label={t("import.file")}
            description={t("import.fileHint", { lines: numbers.format(LINES_MAX), megabytes: FILE_MAX_MEGABYTES })}
            inputWrapperOrder={["label", "input", "description", "error"]}
            accept=".csv,text/csv"
            placeholder={t("import.choose")}
            value={file}
            error={words(check.error)}
            onChange={(chosen) => {
              check.reset();
              setFile(chosen);
            }}
          />
        </div>
        <Template kind={kind} />
        <div className={rows.acts}>
          <Button loading={check.isPending} onClick={() => check.start()}>
            {t("import.check")}
          </Button>
        </div>
        <Text size="sm" c="dimmed">
          {t("import.keepPrivate")}
        </Text>
      </Stack>
    </Paper>
  );
}
