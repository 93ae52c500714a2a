// One patient: name and e-mail, what is scheduled, billed and paid in advance, and the way to each.
import { Button } from "@mantine/core";
import IconPencil from "@tabler/icons-react/dist/esm/icons/IconPencil.mjs";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import type { Person } from "../api-types.ts";
import { BackLink } from "../billing/BackLink.tsx";
import { useTranslation } from "../i18n/words.ts";
import { PageHeader } from "../ui/PageHeader.tsx";
import { QuietLine } from "../ui/QuietLine.tsx";
import rows from "../ui/rows.module.css";
import { LoadFailed, LoadingRows } from "../ui/states.tsx";
import { Consults, Credits, Invoices, Memberships } from "./Belongings.tsx";
import { PatientForm } from "./PatientForm.tsx";
import { patientQuery } from "./queries.ts";

const route = getRouteApi("/shell/patients/$patientId");

function OnePatient({ patient }: { patient: Person }) {
  const { t } = useTranslation();
  const [isEditing, setIsEditing] = useState(false);
  const [said, setSaid] = useState<string | null>(null);
  const edit = (
    <Button
      variant="default"
      leftSection={<IconPencil size={16} aria-hidden="true" />}
      onClick={() => setIsEditing(true)}
    >
      {t("patients.edit")}
    </Button>
  );
  return (
    <>
      <PageHeader title={patient.name} intro={patient.email ?? t("patients.noEmail")} action={edit} />
      <div className={rows.said}>
        <QuietLine said={said} subject={null} sends={false} />
      </div>
      <div className={rows.sections}>
        <Consults patientId={patient.id} />
        <Credits patientId={patient.id} />
        <Invoices patientId={patient.id} />
        <Memberships patientId={patient.id} />
      </div>
      {isEditing && (
        <PatientForm
          patient={patient}
          onClose={() => setIsEditing(false)}
          onDone={() => {
            setIsEditing(false);
            setSaid(t("patients.changed"));
          }}
        />
      )}
    </>
  );
}

/** See the head of this file. */
export function PatientPage() {
  const { t } = useTranslation();
  const { patientId } = route.useParams();
  const query = useQuery(patientQuery(Number(patientId)));
  return (
    <>
      <BackLink to="/patients">{t("patients.all")}</BackLink>
      {query.data !== undefined ? (
        <OnePatient patient={query.data} />
      ) : query.isError ? (
        <LoadFailed error={query.error} retry={() => query.refetch()} />
      ) : (
        <LoadingRows rows={5} />
      )}
    </>
  );
}
