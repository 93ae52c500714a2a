import { INVOICE_STATUSES, INVOICE_TYPES } from "@hookwell/sdk";
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import IconUser from "@tabler/icons-react/dist/esm/icons/IconUser.mjs";
import IconX from "@tabler/icons-react/dist/esm/icons/IconX.mjs";
import { useEffect, useState } from "react";
import type { Person } from "../api-types.ts";
import { useTranslation } from "../i18n/words.ts";
import { Dialog } from "../ui/Dialog.tsx";
import { Filters } from "../ui/Filters.tsx";
import { type InvoiceFilters, invoiceFilters, NUMBER_SEARCH_MAX } from "./filters.ts";
import { PatientField } from "./PatientField.tsx";

const TYPING_PAUSE_MILLISECONDS = 300;
const ANY = "";

interface Props {
  filters: InvoiceFilters;
  /** Null while it is not known. */
  patientName: string | null;
  onChange: (filters: InvoiceFilters) => void;
}

function NumberSearch({ number, onChange }: { number: string; onChange: (number: string) => void }) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState(number);
  // Another way to the same page, such as Back or "show all", changes the address without typing.
  useEffect(() => setTyped(number), [number]);
  const search = useDebouncedCallback(onChange, TYPING_PAUSE_MILLISECONDS);
  return (
    <TextInput
      type="search"
      aria-label={t("billing.findNumber")}
      placeholder={t("billing.findNumber")}
      maxLength={NUMBER_SEARCH_MAX}
      value={typed}
      onChange={({ currentTarget: { value } }) => {
        setTyped(value);
        search(value);
      }}
    />
  );
}

/** Chooses the patient whose records are shown, or shows the others again. */
export function PatientFilter({
  chosen,
  name,
  onChange,
}: {
  chosen: number | undefined;
  name: string | null;
  onChange: (id: number | undefined) => void;
}) {
  const { t } = useTranslation();
  const [isOpen, setIsOpen] = useState(false);
  // The name of whoever was chosen here; the list tells it only where it has a row.
  const [person, setPerson] = useState<Person | null>(null);
  if (chosen !== undefined) {
    const known = person?.id === chosen ? person.name : name;
    const shown = known ?? t("billing.patient.number", { id: String(chosen) });
    return (
      <Button
        variant="light"
        rightSection={<IconX size={15} aria-hidden="true" />}
        aria-label={t("billing.filter.removePatient", { name: shown })}
        onClick={() => onChange(undefined)}
      >
        {shown}
      </Button>
    );
  }
  const choose = (one: Person | null) => {
    setIsOpen(false);
    setPerson(one);
    onChange(one?.id);
  };
  return (
    <>
      <Button variant="default" leftSection={<IconUser size={16} aria-hidden="true" />} onClick={() => setIsOpen(true)}>
        {t("billing.filter.patient")}
      </Button>
      {isOpen && (
        <Dialog title={t("billing.filter.patient")} onClose={() => setIsOpen(false)}>
          <PatientField label={t("billing.client")} chosen={null} onChange={choose} />
        </Dialog>
      )}
    </>
  );
}

/** Which records are shown. */
export function BillingFilters({ filters, patientName, onChange }: Props) {
  const { t } = useTranslation();
  const set = (changes: Record<string, string | number | undefined>) =>
    onChange(invoiceFilters({ ...filters, ...changes }));
  return (
    <Filters>
      <NumberSearch number={filters.number ?? ""} onChange={(number) => set({ number })} />
      <NativeSelect
        aria-label={t("billing.filter.type")}
        value={filters.type ?? ANY}
        onChange={(event) => set({ type: event.currentTarget.value })}
        data={[
          { value: ANY, label: t("billing.filter.anyType") },
          ...INVOICE_TYPES.map((type) => ({ value: type as string, label: t(`billing.type.${type}`) })),
        ]}
      />
      <NativeSelect
        aria-label={t("billing.filter.status")}
        value={filters.status ?? ANY}
        onChange={(event) => set({ status: event.currentTarget.value })}
        data={[
          { value: ANY, label: t("billing.filter.anyStatus") },
          ...INVOICE_STATUSES.map((status) => ({ value: status as string, label: t(`billing.status.${status}`) })),
        ]}
      />
      <PatientFilter chosen={filters.patient} name={patientName} onChange={(patient) => set({ patient })} />
    </Filters>
  );
}
