import { Customer } from '@cairn/auth';
import { ApiProblems } from '@cairn/http';
import { Controller, Get, Param } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { idParameter, paymentView } from './payments.schemas.ts';
import { PaymentsService } from './payments.service.ts';

@ApiTags('payments')
@ApiBearerAuth()
@Controller('api/v1/payments')
export class PaymentsController {
  constructor(private readonly payments: PaymentsService) {}

  @Get(':id')
  @ApiOperation({ summary: 'Read a payment' })
  @ApiResponse({ status: 200, standardSchema: paymentView })
  @ApiProblems({ not_found: 'no such payment of this customer' })
  getPayment(@Customer() customer: string, @Param('id', { schema: idParameter }) id: string) {
    return this.payments.get(customer, id);
  }
}
